"""Cut and extend the graph of a Keras model."""

from __future__ import annotations

from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.keras.start import import_keras
from imgcls.core.models.head import Head
from imgcls.core.models.network_description import free_name
from imgcls.core.models.spec import BEFORE_POOLING, ModelSpec


def with_outputs(model: Any, spec: ModelSpec) -> Any:
    """Return a Keras model over the same layers with the outputs of `OUTPUTS`, in order."""
    activations = cam_activations(model, spec)
    if activations is model.inputs[0]:  # LiteRT gives no input out again, unless it is a copy
        name = free_name("input_copy", (layer.name for layer in model.layers))
        activations = import_keras().layers.AveragePooling2D(1, name=name)(activations)
    outputs = [model.output, _features(model, spec), activations]
    return import_keras().Model(model.input, outputs)


def features_source(model: Any, spec: ModelSpec) -> Any:
    """Return the Keras tensor whose mean over height and width is the features."""
    if spec.features_layer:
        return model.get_layer(spec.features_layer).output
    return cam_activations(model, spec)


def cam_activations(model: Any, spec: ModelSpec) -> Any:
    """Return the Keras tensor (n, h, w, c) of the row's `cam_layer`."""
    if spec.cam_layer != BEFORE_POOLING:
        return model.get_layer(spec.cam_layer).output
    pooling = import_keras().layers.GlobalAveragePooling2D
    return next(layer for layer in reversed(model.layers) if isinstance(layer, pooling)).input


def classifier_kernel(model: Any) -> Float32Array:
    """Return the kernel (d, classes) of a model's last layer, dense or a 1×1 convolution."""
    last = next(layer for layer in reversed(model.layers) if hasattr(layer, "kernel"))
    kernel = np.asarray(last.kernel, np.float32)
    return kernel.reshape(-1, kernel.shape[-1])


def cut_top(model: Any, spec: ModelSpec) -> Any:
    """Return a Keras model over the same layers that ends in the features (n, d)."""
    return import_keras().Model(model.inputs, _features(model, spec))


def _features(model: Any, spec: ModelSpec) -> Any:
    """Return the Keras tensor (n, d) of the features."""
    source = features_source(model, spec)
    if len(source.shape) == 2:
        return source
    # By a layer: keras.ops.mean would be called "mean", as a layer of the network may be.
    name = free_name("pooled_features", (layer.name for layer in model.layers))
    return import_keras().layers.GlobalAveragePooling2D(name=name)(source)  # → (n, c)


def add_head(backbone: Any, head: Head) -> Any:
    """Return a Keras model of a backbone and a head; logits (n, classes) come out."""
    keras = import_keras()
    x = backbone.output
    for position, (kernel, bias) in enumerate(head.layers):
        last = position == len(head.layers) - 1
        name = free_name(f"head_{position}", (layer.name for layer in backbone.layers))
        dense = keras.layers.Dense(len(bias), activation=None if last else "relu", name=name)
        x = dense(x)
        dense.set_weights([kernel, bias])
    return keras.Model(backbone.inputs, x)

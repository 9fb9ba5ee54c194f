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
    keras = import_keras()
    activations = cam_activations(model, spec)
    features = features_source(model, spec)
    if len(features.shape) == 4:
        features = keras.ops.mean(features, axis=(1, 2))  # (n, h, w, c) → (n, c)
    return keras.Model(model.input, [model.output, features, activations])


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
    keras = import_keras()
    features = features_source(model, spec)
    if len(features.shape) == 4:
        name = free_name("pooled_features", (layer.name for layer in model.layers))
        pooling = keras.layers.GlobalAveragePooling2D(name=name)
        features = pooling(features)  # (n, h, w, c) → (n, c)
    return keras.Model(model.inputs, features)


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

"""Cut and extend the graph of a Keras model."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import UsageError
from imgcls.core.keras.start import import_keras
from imgcls.core.models.head import Head
from imgcls.core.models.network_description import free_name
from imgcls.core.models.spec import BEFORE_POOLING, LAST_ACTIVATION, ModelSpec

_HEAD = "imgcls_head_"
_FLAT = "flat_features"


def with_outputs(model: Any, spec: ModelSpec) -> Any:
    """Return a Keras model over the same layers with the outputs of `OUTPUTS`, in order.

    A network that ends in its features has (n, 1, d) of them in place of logits: LiteRT gives
    each output a name of its own only if no other is the same.
    """
    activations = cam_activations(model, spec)
    if activations is model.inputs[0]:  # LiteRT gives no input out again, unless it is a copy
        name = free_name("input_copy", (layer.name for layer in model.layers))
        activations = import_keras().layers.AveragePooling2D(1, name=name)(activations)
    features, layers = _features(model, spec), import_keras().layers
    logits = model.output
    if spec.ends_in_features and not has_classifier(model):
        name = free_name("no_logits", (layer.name for layer in model.layers))
        logits = layers.Reshape((1, -1), name=name)(features)
    return import_keras().Model(model.input, [logits, features, activations])


def has_classifier(model: Any) -> bool:
    """Whether a network that ends in its features has a head from a model file on them."""
    return any(layer.name.startswith(_HEAD) for layer in model.layers[-1:])


def features_source(model: Any, spec: ModelSpec) -> Any:
    """Return the Keras tensor that the features are made of: (n, h, w, c), or they themselves.

    Raises:
        UsageError: the row names a layer that the network does not have.
    """
    if not spec.features_layer:
        return cam_activations(model, spec)
    return layer_output(model, spec.features_layer)


def layer_output(model: Any, name: str) -> Any:
    """Return the Keras tensor that a layer behind the input gives.

    Raises:
        UsageError: there is none of this name, or it gives more than one array.
    """
    known = {layer.name: layer for layer in model.layers[1:]}  # the first is the input
    if name not in known:
        near = " or ".join(difflib.get_close_matches(name, known, n=3, cutoff=0))
        raise UsageError(f"{name}: no such layer; did you mean {near}?")
    output = known[name].output
    if isinstance(output, list | tuple):
        raise UsageError(f"{name}: gives more than one array; name another layer")
    return output


def cam_activations(model: Any, spec: ModelSpec) -> Any:
    """Return the Keras tensor (n, h, w, c) of the row's `cam_layer`."""
    if spec.cam_layer == LAST_ACTIVATION:
        return _last_map(model, layer_output(model, spec.features_layer))
    if spec.cam_layer != BEFORE_POOLING:
        return model.get_layer(spec.cam_layer).output
    pooling = import_keras().layers.GlobalAveragePooling2D
    for layer in reversed(model.layers):
        if isinstance(layer, pooling) or layer.name.startswith(_FLAT):  # in whose place that stands
            return layer.input
    raise ValueError("the network pools nowhere")


def _last_map(model: Any, features: Any) -> Any:
    """Return the last Keras tensor with height and width that leads to some features."""
    leading = import_keras().Model(model.inputs, features)
    for operation in reversed(leading.operations):
        shape: Any = getattr(operation.output, "shape", ())
        if len(shape) == 4 and shape[1] * shape[2] > 1:
            return operation.output
    return model.inputs[0]


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
    layers, names = import_keras().layers, [layer.name for layer in model.layers]
    if spec.flat_features:
        return layers.Flatten(name=free_name(_FLAT, names))(source)  # → (n, h·w·c)
    pooling = layers.GlobalAveragePooling2D(name=free_name("pooled_features", names))
    return pooling(source)  # → (n, c)


def head_layer(position: int, names: Iterable[str]) -> str:
    """Return what a layer of a head is called on a backbone whose layers have these names."""
    return free_name(f"{_HEAD}{position}", names)


def add_head(backbone: Any, head: Head) -> Any:
    """Return a Keras model of a backbone and a head; logits (n, classes) come out."""
    keras = import_keras()
    x = backbone.output
    for position, (kernel, bias) in enumerate(head.layers):
        last = position == len(head.layers) - 1
        name = head_layer(position, (layer.name for layer in backbone.layers))
        dense = keras.layers.Dense(len(bias), activation=None if last else "relu", name=name)
        x = dense(x)
        dense.set_weights([kernel, bias])
    return keras.Model(backbone.inputs, x)

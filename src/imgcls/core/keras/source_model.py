"""A Keras model as its author made it, for comparison with what was imported of it.

It is put together by Keras' own classes from the arguments in the file, model in model as it was,
and its weights are loaded by Keras' own reader. Only the tree of layers and calls is shared with
the description that imgcls makes. No code of the file runs: none but Keras' layers are made, with
none but plain arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.keras.start import import_keras
from imgcls.core.models.hdf5_file import open_hdf5
from imgcls.core.models.keras_file.contents import KerasFile
from imgcls.core.models.keras_file.flatten import GREY
from imgcls.core.models.keras_file.layer_rows import DROPPED, activation_of, number
from imgcls.core.models.keras_file.operations import operation_name
from imgcls.core.models.keras_file.tree import Call, Output, SourceLayer
from imgcls.core.models.keras_file.variables import find_arrays, variables

# Arguments that only matter while a layer is trained or made.
_OF_TRAINING = ("initializer", "regularizer", "constraint", "seed", "dtype", "batch")


def build_source(tree: SourceLayer, file: KerasFile, weights: Path, image: tuple[int, ...]) -> Any:
    """Build a model that was read from a file, with its weights.

    Args:
        tree: the model.
        file: what was read.
        weights: the .h5 file, or the model.weights.h5 of a .keras file.
        image: (h, w, c) of its input.

    Returns:
        A Keras model, float32 (n, size, size, 3), or 1 for grey → its own output.
    """
    builder = _Builder(file.is_keras2)
    model = builder.model(tree, [image])
    try:
        if file.weight_names is None:
            model.load_weights(weights)
        else:
            from keras.src.legacy.saving import legacy_h5_format

            with open_hdf5(weights) as opened:
                legacy_h5_format.load_weights_from_hdf5_group(opened["model_weights"], model)
    except Exception:  # Keras 3 cannot read all that Keras 2 wrote, and says so in many ways
        _set_weights(builder.built, tree, file)
    return model


def _set_weights(built: Mapping[SourceLayer, Any], tree: SourceLayer, file: KerasFile) -> None:
    for layer, places in find_arrays(tree, file).items():
        if layer in built:
            names = variables(layer.kind, layer.config)
            given = [file.arrays[places[name]] for name in names]
            built[layer].set_weights(given)


class _Builder:
    """Makes Keras' layers of a tree.

    Attributes:
        built: the Keras layer of each plain layer that has been used.
    """

    def __init__(self, keras2: bool) -> None:
        self._keras, self._keras2 = import_keras(), keras2
        self.built: dict[SourceLayer, Any] = {}

    def model(self, tree: SourceLayer, shapes: list[tuple[int, ...]]) -> Any:
        """Return the Keras model of a tree, for inputs of some shapes."""
        inputs = [self._keras.Input(shape) for shape in shapes]
        if tree.kind == "Sequential" and not any(map(_is_operation, tree.layers or ())):
            layers, x = [], inputs[0]
            for layer in (tree.layers or ())[1:]:
                if layer.kind in DROPPED:
                    continue
                layers.append(self._layer(layer, [tuple(x.shape[1:])]))
                x = layers[-1](x, training=False)
            return self._keras.Sequential([inputs[0], *layers])
        values = dict(zip((Output(name, 0) for name in tree.inputs), inputs, strict=True))
        layers_by_name = {layer.name: layer for layer in tree.layers or ()}
        stack = [*tree.results]
        while stack:
            wanted = stack[-1]
            layer = layers_by_name[wanted.layer]
            missing = [] if wanted in values else layer.calls[wanted.call].outputs()
            missing = [output for output in missing if output not in values]
            if wanted not in values and not missing:
                values[wanted] = self._call(layer, layer.calls[wanted.call], values)
            stack = [*stack, *missing] if missing else stack[:-1]
        return self._keras.Model(inputs[0] if len(inputs) == 1 else inputs, values[tree.results[0]])

    def _call(self, layer: SourceLayer, call: Call, values: Mapping[Output, Any]) -> Any:
        given = [_filled(argument, values) for argument in call.arguments]
        named = {name: _filled(value, values) for name, value in call.keywords.items()}
        if layer.kind in DROPPED:
            return given[0]
        name = operation_name(layer, call)
        if name is not None:
            return _OPERATIONS[name](self._keras, layer.config, given, named)
        if layer.kind in ("CustomScaleLayer", "Lambda"):
            scale = layer.config.get("scale") or layer.config["arguments"]["scale"]
            return given[0][0] + given[0][1] * scale
        tensors = given[0] if isinstance(given[0], list) else [given[0]]
        built = self._layer(layer, [tuple(tensor.shape[1:]) for tensor in tensors])
        return built(given[0], training=False) if layer.layers is not None else built(given[0])

    def _layer(self, layer: SourceLayer, shapes: list[tuple[int, ...]]) -> Any:
        if layer not in self.built:
            self.built[layer] = (
                self._plain(layer) if layer.layers is None else self.model(layer, shapes)
            )
        return self.built[layer]

    def _plain(self, layer: SourceLayer) -> Any:
        if layer.kind == "LayerScale":
            from keras.src.applications.convnext import LayerScale

            return LayerScale(1.0, layer.config["projection_dim"])
        kind = layer.kind.removesuffix("V1").removesuffix("V2")
        class_ = getattr(self._keras.layers, kind)
        known = inspect.signature(class_.__init__).parameters
        arguments = {
            name: self._argument(name, value)
            for name, value in layer.config.items()
            if name in known and not any(part in name for part in _OF_TRAINING)
        }
        if kind == "LeakyReLU":
            arguments["negative_slope"] = layer.config.get(
                "negative_slope", layer.config.get("alpha", 0.3)
            )
        built = class_(**arguments)
        built.trainable = bool(layer.config.get("trainable", True))
        return built

    def _argument(self, name: str, value: Any) -> Any:
        if name == "activation":
            return self._activation(value)
        if name == "axis" and isinstance(value, list) and len(value) == 1:
            return value[0]
        return number(value) if isinstance(value, dict) else value

    def _activation(self, value: Any) -> Any:
        activation = activation_of(value)
        if not isinstance(activation, str):
            kind, config = activation
            return self._plain(SourceLayer(kind.lower(), kind, config))
        if activation == "hard_sigmoid" and self._keras2:
            ops = self._keras.ops
            return lambda x: ops.clip(0.2 * x + 0.5, 0.0, 1.0)
        return activation


def _is_operation(layer: SourceLayer) -> bool:
    return any(operation_name(layer, call) is not None for call in layer.calls)


def _filled(value: Any, values: Mapping[Output, Any]) -> Any:
    if isinstance(value, Output):
        return values[value]
    return [_filled(inner, values) for inner in value] if isinstance(value, list) else value


def _operands(given: list[Any], named: Mapping[str, Any]) -> tuple[Any, Any]:
    both = [*given, *(named[key] for key in ("x1", "x2", "x", "y", "bias") if key in named)]
    left, right = (
        value if hasattr(value, "shape") else np.asarray(number(value), np.float32)
        for value in both
    )
    return left, right


def _get(keras: Any, config: Any, given: list[Any], named: Mapping[str, Any]) -> Any:
    key = named["slice_spec"] if "slice_spec" in named else given[1]
    last = key[-1]
    return given[0][..., last] if isinstance(last, int) else given[0][..., ::-1]


def _mean(keras: Any, config: Any, given: list[Any], named: Mapping[str, Any]) -> Any:
    arguments = {**config, **named}
    return keras.ops.mean(given[0], axis=(1, 2), keepdims=bool(arguments.get("keepdims")))


def _arithmetic(name: str) -> Callable[..., Any]:
    # By a function of Keras: an array minus a tensor of Keras is numpy's, which cannot do it.
    return lambda keras, config, given, named: getattr(keras.ops, name)(*_operands(given, named))


def _function(name: str) -> Callable[..., Any]:
    return lambda keras, config, given, named: getattr(keras.activations, name)(given[0])


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    **{name: _arithmetic(name) for name in ("divide", "subtract", "multiply", "add")},
    "get": _get,
    "stack": lambda keras, config, given, named: keras.ops.stack(given[0], axis=-1),
    "same": lambda keras, config, given, named: given[0],
    "mean": _mean,
    **{name: _function(name) for name in ("relu", "relu6", "silu", "softmax", "sigmoid")},
}


def source_outputs(model: Any, batch: Float32Array) -> Float32Array:
    """Return what the source model says of a preprocessed batch of RGB: scores or logits."""
    if model.input_shape[-1] == 1:
        batch = (batch @ GREY)[..., np.newaxis]  # (n, h, w, 3) → (n, h, w, 1)
    return np.asarray(model(batch, training=False), np.float32)

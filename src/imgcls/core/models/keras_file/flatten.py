"""Turn the tree of a Keras model into one flat list of our layers, with their arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.models.keras_file.layer_rows import (
    DROPPED,
    ROWS,
    activation_of,
    number,
)
from imgcls.core.models.keras_file.operations import Value, operation
from imgcls.core.models.keras_file.tree import Call, Output, SourceLayer
from imgcls.core.models.layer_kinds import ACTIVATIONS, INPUT, LAYER_KINDS
from imgcls.core.models.layer_shapes import Shape
from imgcls.core.models.network_description import Layer

# What red, green and blue add to the grey of a pixel (ITU-R BT.601, as Pillow and TensorFlow do).
GREY: Float32Array = np.array([0.299, 0.587, 0.114], np.float32)

_INCEPTION_RESNET_BLOCK = re.compile(r"block(35|17|8)_[0-9]+")


@dataclass
class FlatNetwork:
    """A network as one list of layers.

    Attributes:
        layers: in an order in which each comes after those that it takes.
        arrays: parameters by layer and name.
        output: the name of the last layer.
        dropped: the classes of the layers that do nothing once a network is trained.
        folded: what became something else, for people.
        shapes: of each layer's output.
    """

    layers: list[Layer] = field(default_factory=list)
    arrays: dict[str, dict[str, Float32Array]] = field(default_factory=dict)
    output: str = ""
    dropped: list[str] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def add(
        self,
        name: str,
        kind: str,
        inputs: tuple[str, ...] = (),
        arguments: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Float32Array] | None = None,
    ) -> str:
        """Add a layer under a name like the one given, and return its name."""
        name = self._free(name)
        row = LAYER_KINDS[kind]
        complete = row.complete(arguments or {})
        given = [self.shapes[input_] for input_ in inputs]
        self.shapes[name] = row.output_shape(given, complete)
        wanted = dict(row.parameters(given[0], complete)) if given else {}
        arrays = arrays or {}
        if wanted != {parameter: array.shape for parameter, array in arrays.items()}:
            raise ValueError("its weights have other shapes than its arguments say")
        self.layers.append(Layer(name, kind, inputs, complete))
        if arrays:
            self.arrays[name] = dict(arrays)
        return name

    def _free(self, name: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip("_.-")[:90] or "layer"
        free, number = name, 1
        while free in self.shapes:
            number += 1
            free = f"{name}_{number}"
        return free


def flatten(
    tree: SourceLayer,
    image: tuple[int, int],
    arrays_of: Callable[[SourceLayer], Mapping[str, Float32Array]],
    *,
    keras2: bool,
) -> FlatNetwork:
    """Write a Keras model down as one list of layers.

    Args:
        tree: the model, with one input and one result.
        image: the side of its input, which is square, and its channels: three, or one of grey.
        arrays_of: returns a plain layer's weights by name.
        keras2: whether Keras 2 wrote it.

    Raises:
        ValueError: it has a layer that is on no list of ours; the text names it.
    """
    flat, (size, channels) = FlatNetwork(), image
    start = flat.add(tree.inputs[0], INPUT, (), {"height": size, "width": size, "channels": 3})
    if channels == 1:
        arrays = {"kernel": GREY.reshape(1, 1, 3, 1)}
        arguments = {"filters": 1, "kernel_size": (1, 1), "use_bias": False}
        start = flat.add("grey", "conv2d", (start,), arguments, arrays)
    output = _Flattener(flat, arrays_of, keras2).model(tree, [start], "")
    if not isinstance(output, str):
        raise ValueError("it ends in an operation that is not on our list")
    flat.output = output
    _prune(flat)
    return flat


class _Flattener:
    def __init__(
        self,
        flat: FlatNetwork,
        arrays_of: Callable[[SourceLayer], Mapping[str, Float32Array]],
        keras2: bool,
    ) -> None:
        self._flat, self._arrays_of, self._keras2 = flat, arrays_of, keras2

    def model(self, model: SourceLayer, inputs: list[Value], path: str) -> Value:
        """Add the layers of a model that is called with some values; return its result."""
        layers = {layer.name: layer for layer in model.layers or ()}
        if len(inputs) != len(model.inputs) or len(model.results) != 1:
            raise ValueError(f"{path or 'the network'}: it has several inputs or results")
        starts = [Output(name, 0) for name in model.inputs]
        values: dict[Output, Any] = dict(zip(starts, inputs, strict=True))

        # Keras writes layers down in an order that need not be one of calling.
        stack = [model.results[0]]
        while stack:
            wanted = stack[-1]
            if wanted in values:
                stack.pop()
                continue
            layer = layers[wanted.layer]
            if not 0 <= wanted.call < len(layer.calls):
                raise ValueError(f"{path}{wanted.layer}: it is never called")
            call = layer.calls[wanted.call]
            missing = [output for output in call.outputs() if output not in values]
            if missing and len(stack) > len(layers) * 8:
                raise ValueError(f"{path}{wanted.layer}: it takes its own result")
            if missing:
                stack.extend(missing)
                continue
            try:
                values[wanted] = self._call(layer, _filled(call, values), path)
            except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
                if isinstance(error, _NamedError):
                    raise
                reason = f"it lacks {error}" if isinstance(error, KeyError) else error
                raise _NamedError(f"layer {path}{layer.name} ({layer.kind}): {reason}") from None
        result: Value = values[model.results[0]]
        return result

    def _call(self, layer: SourceLayer, call: Call, path: str) -> Value:
        if call.keywords.get("training"):
            raise ValueError("it is called as if it were still trained (training=True)")
        if layer.layers is not None:
            inputs = call.arguments[0]
            inputs = inputs if isinstance(inputs, list) else [inputs]
            return self.model(layer, inputs, f"{path}{layer.name}/")
        if layer.kind in DROPPED:
            self._flat.dropped.append(layer.kind)
            value: Value = call.arguments[0]
            return value
        result = operation(self._flat, layer, call)
        return self._layer(layer, call) if result is None else result

    def _layer(self, layer: SourceLayer, call: Call) -> Value:
        given = call.arguments[0]
        inputs = tuple(given) if isinstance(given, list) else (given,)
        if len(call.arguments) != 1 or not all(isinstance(name, str) for name in inputs):
            raise ValueError("it works on something else than the result of a layer")
        config, name = layer.config, layer.name
        match layer.kind:
            case "Activation":
                return self._activation(name, config["activation"], inputs[0], own=True)
            case "Reshape":
                return self._reshape(name, inputs[0], config["target_shape"])
            case "CustomScaleLayer":
                return self._scaled_sum(name, inputs, number(config["scale"]))
            case "Lambda" if _INCEPTION_RESNET_BLOCK.fullmatch(name) and "scale" in config.get(
                "arguments", {}
            ):
                return self._scaled_sum(name, inputs, number(config["arguments"]["scale"]))
            case "CenterCrop" if self._flat.shapes[inputs[0]][:2] == (
                config["height"],
                config["width"],
            ):
                return str(inputs[0])
            case "Normalization":
                return self._normalization(layer, inputs)
        row = ROWS.get(layer.kind)
        if row is None:
            raise ValueError(_why_unknown(layer.kind))
        self._check_axis(layer, inputs[0])
        result = self._flat.add(
            name, row.kind, inputs, row.arguments(config), self._arrays_of(layer)
        )
        return self._own_activation(layer, result)

    def _own_activation(self, layer: SourceLayer, result: str) -> str:
        """Give a layer that has been added the activation that is part of it."""
        if "activation" not in layer.config:
            return result
        name = activation_of(layer.config["activation"])
        if isinstance(name, str) and name in ACTIVATIONS and not self._is_other(name):
            added = self._flat.layers[-1]
            self._flat.layers[-1] = Layer(
                added.name, added.kind, added.inputs, {**added.arguments, "activation": name}
            )
            return result
        return self._activation(f"{layer.name}_activation", layer.config["activation"], result)

    def _is_other(self, activation: str) -> bool:
        """Whether Keras 2 means another function by a name than Keras 3."""
        return self._keras2 and activation == "hard_sigmoid"

    def _activation(self, name: str, value: Any, given: str, *, own: bool = False) -> str:
        activation = activation_of(value)
        if not isinstance(activation, str):
            kind, config = activation
            row = ROWS.get(kind)
            if row is None or kind == "PReLU":
                raise ValueError(_why_unknown(kind))
            return self._flat.add(name, row.kind, (given,), row.arguments(config))
        if activation == "linear" and own:
            self._flat.dropped.append("Activation")
            return given
        if self._is_other(activation):
            scaled = self._flat.add(
                f"{name}_line", "rescaling", (given,), {"scale": 0.2, "offset": 0.5}
            )
            return self._flat.add(name, "relu", (scaled,), {"max_value": 1.0})
        if activation not in ACTIVATIONS:
            raise ValueError(f"the activation {activation} is not on our list")
        return self._flat.add(name, "activation", (given,), {"activation": activation})

    def _reshape(self, name: str, given: str, target: Any) -> str:
        shape, count = [int(side) for side in target], math.prod(self._flat.shapes[given])
        if shape.count(-1) == 1:
            known = -math.prod(shape)
            shape[shape.index(-1)] = count // known if known > 0 else 0
        return self._flat.add(name, "reshape", (given,), {"target_shape": tuple(shape)})

    def _scaled_sum(self, name: str, inputs: tuple[str, ...], scale: float) -> str:
        scaled = self._flat.add(f"{name}_scale", "rescaling", inputs[1:], {"scale": scale})
        return self._flat.add(name, "add", (inputs[0], scaled))

    def _normalization(self, layer: SourceLayer, inputs: tuple[str, ...]) -> str:
        """Add a normalization by fixed numbers, which may be in its arguments or its weights."""
        config = layer.config
        if config.get("invert"):
            raise ValueError("it undoes a normalization")
        arrays = {name: array for name, array in self._arrays_of(layer).items() if name != "count"}
        if not arrays:
            arrays = {
                name: np.asarray(number(config[name]), np.float32) for name in ("mean", "variance")
            }
        channels = self._flat.shapes[inputs[0]][-1:]
        if any(array.size not in (1, *channels) for array in arrays.values()):
            raise ValueError("it normalizes by something else than the channels")
        arrays = {
            name: np.broadcast_to(array.reshape(-1), channels).copy()
            for name, array in arrays.items()
        }
        return self._flat.add(layer.name, "normalization", inputs, {}, arrays)

    def _check_axis(self, layer: SourceLayer, given: str) -> None:
        """Refuse what works along another axis than the last."""
        if "axis" not in layer.config or layer.kind == "Softmax":
            return
        axis, axes = layer.config["axis"], len(self._flat.shapes[given])
        axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
        if layer.kind != "Concatenate" and axis not in (-1, axes):
            raise ValueError("it works along another axis than the channels")


class _NamedError(ValueError):
    """An error whose text has the layer's name."""


def _filled(call: Call, values: Mapping[Output, Any]) -> Call:
    """Return a call with values in the place of outputs."""

    def fill(value: Any) -> Any:
        if isinstance(value, Output):
            return values[value]
        return [fill(inner) for inner in value] if isinstance(value, list) else value

    return Call(
        tuple(map(fill, call.arguments)), {name: fill(v) for name, v in call.keywords.items()}
    )


def _why_unknown(kind: str) -> str:
    if kind in ("Lambda", "TFSMLayer"):
        return (
            "it is code of its author (a lambda), which imgcls never runs; build the network "
            "without it"
        )
    return f"{kind} is on no list of ours"


def _prune(flat: FlatNetwork) -> None:
    """Leave out layers that do not lead to the output."""
    wanted = {flat.output}
    for layer in reversed(flat.layers):
        if layer.name in wanted:
            wanted.update(layer.inputs)
    flat.layers = [layer for layer in flat.layers if layer.name in wanted]
    flat.arrays = {name: arrays for name, arrays in flat.arrays.items() if name in wanted}

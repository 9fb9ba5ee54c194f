"""One layer of Keras, called once, as layers of ours."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.models.described_layer import Layer
from imgcls.core.models.keras_file.flat_network import FlatNetwork
from imgcls.core.models.keras_file.layer_rows import ROWS, activation_of, number
from imgcls.core.models.keras_file.tree import Call, SourceLayer
from imgcls.core.models.layer_kinds import ACTIVATIONS

# Returns a plain layer's weights by name.
ArraysOf = Callable[[SourceLayer], Mapping[str, Float32Array]]

_INCEPTION_RESNET_BLOCK = re.compile(r"block(35|17|8)_[0-9]+")


class PlainLayers:
    """What adds layers to a network."""

    def __init__(self, flat: FlatNetwork, arrays_of: ArraysOf, *, keras2: bool) -> None:
        """Name the network, the weights, and whether Keras 2 wrote the layers down."""
        self._flat, self._arrays_of, self._keras2 = flat, arrays_of, keras2

    def add(self, layer: SourceLayer, call: Call) -> str:
        """Add one call of a layer; return the name of what it gives.

        Args:
            layer: what is called; no model, and no operation.
            call: with names of our layers in the place of outputs.

        Raises:
            ValueError: it is on no list of ours, or works on something else.
        """
        given = call.arguments[0]
        inputs = tuple(given) if isinstance(given, list) else (given,)
        if len(call.arguments) != 1 or not all(isinstance(name, str) for name in inputs):
            raise ValueError("it works on something else than the result of a layer")
        config, name = layer.config, layer.name
        match layer.kind:
            case "Activation":
                if activation_of(config["activation"]) == "linear":
                    self._flat.dropped.append("Activation")
                    return str(inputs[0])
                return self._activation(name, config["activation"], inputs[0])
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

    def _activation(self, name: str, value: Any, given: str) -> str:
        activation = activation_of(value)
        if not isinstance(activation, str):
            kind, config = activation
            row = ROWS.get(kind)
            if row is None or kind == "PReLU":
                raise ValueError(_why_unknown(kind))
            return self._flat.add(name, row.kind, (given,), row.arguments(config))
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


def _why_unknown(kind: str) -> str:
    if kind in ("Lambda", "TFSMLayer"):
        return (
            "it is code of its author (a lambda), which imgcls never runs; build the network "
            "without it"
        )
    return f"{kind} is on no list of ours"

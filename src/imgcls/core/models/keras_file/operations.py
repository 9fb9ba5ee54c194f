"""Arithmetic that Keras writes down without a layer of its own, as `preprocess_input` does.

Keras 2 has TFOpLambda ("math.truediv") and SlicingOpLambda for it, Keras 3 a class an operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imgcls.core.models.keras_file.flat_network import FlatNetwork
from imgcls.core.models.keras_file.layer_rows import number
from imgcls.core.models.keras_file.tree import Call, SourceLayer


@dataclass(frozen=True)
class Channel:
    """One channel of a layer's output, on its way to be stacked with the others."""

    layer: str
    index: int


# What a call gives: the name of a layer of ours, or one channel of its output.
Value = str | Channel

_NAMES = {
    **dict.fromkeys(("math.truediv", "math.divide", "TrueDivide", "Divide"), "divide"),
    **dict.fromkeys(("math.subtract", "Subtract"), "subtract"),
    **dict.fromkeys(("math.multiply", "Multiply"), "multiply"),
    **dict.fromkeys(("math.add", "__operators__.add", "nn.bias_add", "Add"), "add"),
    **dict.fromkeys(("__operators__.getitem", "GetItem"), "get"),
    **dict.fromkeys(("stack", "Stack"), "stack"),
    **dict.fromkeys(("cast", "Cast", "identity", "convert_to_tensor"), "same"),
    **dict.fromkeys(("nn.relu", "Relu"), "relu"),
    **dict.fromkeys(("nn.relu6", "Relu6"), "relu6"),
    **dict.fromkeys(("nn.silu", "nn.swish", "Silu"), "silu"),
    **dict.fromkeys(("nn.softmax", "Softmax"), "softmax"),
    **dict.fromkeys(("nn.sigmoid", "math.sigmoid", "Sigmoid"), "sigmoid"),
    **dict.fromkeys(("math.reduce_mean", "Mean"), "mean"),
}
# Both a layer of Keras and an operation; the layer takes one list.
_AMBIGUOUS = ("Add", "Subtract", "Multiply")
# Classes of layers that have the same name as an operation, and are translated as layers.
_LAYERS = ("Softmax",)
_CAST_TYPES = ("float32", "float16", "bfloat16", "mixed_float16")


def operation_name(layer: SourceLayer, call: Call) -> str | None:
    """Return what an operation is called here; None for a plain layer.

    Raises:
        ValueError: it is an operation that is not on our list.
    """
    kind = layer.kind
    if kind in ("TFOpLambda", "SlicingOpLambda"):
        function = str(layer.config["function"]).removeprefix("tf.")
        if function not in _NAMES:
            raise ValueError(f"the operation {function} is not on our list")
        return _NAMES[function]
    is_layer = (kind in _LAYERS and "dtype" in layer.config) or (
        kind in _AMBIGUOUS and len(call.arguments) == 1 and "x2" not in call.keywords
    )
    return None if is_layer else _NAMES.get(kind)


def operation(flat: FlatNetwork, layer: SourceLayer, call: Call) -> Value | None:
    """Add an operation to a flat network and return its value; None if it is a plain layer.

    Raises:
        ValueError: it is an operation that is not on our list, or works on something else.
    """
    name = operation_name(layer, call)
    if name is None:
        return None
    values = [*call.arguments, *(call.keywords[key] for key in _OPERANDS if key in call.keywords)]
    if name in ("divide", "subtract", "multiply", "add"):
        return _arithmetic(flat, layer.name, name, values)
    return _other(flat, layer, name, values, call)


_OPERANDS = ("x1", "x2", "x", "y", "bias")


def _arithmetic(flat: FlatNetwork, layer: str, name: str, values: list[Any]) -> str:
    left, right = values
    if isinstance(left, str) and isinstance(right, str) and name != "divide":
        return flat.add(layer, name, (left, right))
    if isinstance(left, str) == isinstance(right, str):
        raise ValueError("it divides by the result of a layer")
    given, constant = (left, right) if isinstance(left, str) else (right, left)
    numbers = np.asarray(number(constant), np.float64)
    if numbers.size not in (1, flat.shapes[given][-1]):
        raise ValueError("it takes numbers of another shape than the channels'")
    numbers = numbers.reshape(-1)
    scale, offset = np.ones_like(numbers), np.zeros_like(numbers)
    if name == "divide":
        if given is right:
            raise ValueError("it divides by the result of a layer")
        with np.errstate(divide="ignore"):
            scale = 1 / numbers
    elif name == "multiply":
        scale = numbers
    elif name == "add":
        offset = numbers
    else:
        scale, offset = (scale, -numbers) if given is left else (-scale, numbers)
    arguments = {"scale": _plain(scale), "offset": _plain(offset)}
    return flat.add(layer, "rescaling", (given,), arguments)


def _plain(numbers: Any) -> Any:
    return float(numbers[0]) if len(numbers) == 1 else tuple(map(float, numbers))


def _other(
    flat: FlatNetwork, layer: SourceLayer, name: str, values: list[Any], call: Call
) -> Value:
    given = values[0]
    if name == "get":
        key = call.keywords.get("slice_spec", values[1] if len(values) > 1 else None)
        return _get(flat, layer.name, given, key)
    if name == "stack":
        return _stack(flat, layer, given, call)
    if not isinstance(given, str):
        raise ValueError("it works on a single channel")
    if name == "same":
        dtype = call.keywords.get("dtype", layer.config.get("dtype", "float32"))
        if dtype not in _CAST_TYPES:
            raise ValueError(f"it makes whole numbers ({str(dtype)[:20]})")
        return given
    if name == "mean":
        return _mean(flat, layer, given, call)
    return flat.add(layer.name, "activation", (given,), {"activation": name})


def _get(flat: FlatNetwork, name: str, given: Any, key: Any) -> Value:
    """Take one channel, or all in reverse."""
    if isinstance(given, str) and isinstance(key, list | tuple) and len(key) in (2, 4):
        *places, last = key
        if all(_is_everything(place) for place in places):
            if type(last) is int:
                return Channel(given, last % flat.shapes[given][-1])
            if _slice(last) == (None, None, -1):
                return flat.add(name, "reverse_channels", (given,))
    raise ValueError("it cuts a part out of what it is given")


def _is_everything(place: Any) -> bool:
    ellipsis = isinstance(place, dict) and place.get("class_name") == "__ellipsis__"
    return ellipsis or _slice(place) in ((None, None, None), (None, None, 1))


def _slice(value: Any) -> tuple[Any, ...] | None:
    if not isinstance(value, dict):
        return None
    value = value.get("config", value)
    if not isinstance(value, dict) or "step" not in value:
        return None
    return value.get("start"), value.get("stop"), value["step"]


def _stack(flat: FlatNetwork, layer: SourceLayer, given: Any, call: Call) -> Value:
    """Put the three channels of an image together again, as they were or in reverse."""
    axis = call.keywords.get("axis", layer.config.get("axis"))
    if isinstance(given, list) and all(isinstance(value, Channel) for value in given):
        source, order = {value.layer for value in given}, [value.index for value in given]
        channels = list(range(flat.shapes[given[0].layer][-1]))
        if len(source) == 1 and axis in (-1, 3) and sorted(order) == channels:
            if order == channels:
                return str(source.pop())
            if order == channels[::-1]:
                return flat.add(layer.name, "reverse_channels", (source.pop(),))
    raise ValueError("it stacks results of layers")


def _mean(flat: FlatNetwork, layer: SourceLayer, given: str, call: Call) -> str:
    arguments = {**layer.config, **call.keywords}
    if sorted(arguments.get("axis") or ()) != [1, 2]:
        raise ValueError("it averages over something else than height and width")
    keep = bool(arguments.get("keepdims") or arguments.get("keep_dims"))
    return flat.add(layer.name, "global_average_pooling2d", (given,), {"keepdims": keep})

"""Turn the tree of a Keras model into one flat list of our layers, with their arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.models.keras_file.flat_network import FlatNetwork
from imgcls.core.models.keras_file.layer_rows import DROPPED
from imgcls.core.models.keras_file.operations import Value, operation
from imgcls.core.models.keras_file.plain_layers import ArraysOf, PlainLayers
from imgcls.core.models.keras_file.tree import Call, Output, SourceLayer
from imgcls.core.models.layer_kinds import INPUT

# What red, green and blue add to the grey of a pixel (ITU-R BT.601, as Pillow and TensorFlow do).
GREY: Float32Array = np.array([0.299, 0.587, 0.114], np.float32)


def flatten(
    tree: SourceLayer,
    image: tuple[int, int],
    arrays_of: ArraysOf,
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
    output = _Flattener(flat, PlainLayers(flat, arrays_of, keras2=keras2)).model(tree, [start], "")
    if not isinstance(output, str):
        raise ValueError("it ends in an operation that is not on our list")
    flat.output = output
    flat.prune()
    return flat


class _Flattener:
    def __init__(self, flat: FlatNetwork, plain: PlainLayers) -> None:
        self._flat, self._plain = flat, plain

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
        return self._plain.add(layer, call) if result is None else result


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

"""Layers in ONNX that give numbers other places: padding, cropping, resizing, reordering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from imgcls.core.tasks.export.onnx_graph import (
    Arguments,
    Graph,
    Layout,
    Parameters,
    Value,
    Write,
    common_layout,
)


def _zero_padding2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    (top, bottom), (left, right) = arguments["padding"]
    pads = graph.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return graph.node("Pad", [graph.named(inputs[0], "first"), pads]), "first"


def _cropping2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    (top, bottom), (left, right) = arguments["cropping"]
    height, width, _ = inputs[0].shape
    places = ([top, left], [height - bottom, width - right], [2, 3])
    constants = [graph.constant(place, np.int64) for place in places]
    return graph.node("Slice", [graph.named(inputs[0], "first"), *constants]), "first"


def _resized(
    graph: Graph, value: Value, height: int, width: int, mode: str, **attributes: str
) -> tuple[str, Layout]:
    sides = graph.constant([1.0, 1.0, height / value.shape[0], width / value.shape[1]], np.float32)
    mode = "linear" if mode == "bilinear" else mode
    name = graph.named(value, "first")
    return graph.node("Resize", [name, "", sides], mode=mode, **attributes), "first"


def _up_sampling2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    height, width, _ = inputs[0].shape
    down, across = arguments["size"]
    if arguments["interpolation"] == "nearest":
        how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        how = {"coordinate_transformation_mode": "half_pixel"}
    return _resized(
        graph, inputs[0], height * down, width * across, arguments["interpolation"], **how
    )


def _resizing(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    how = {"coordinate_transformation_mode": "half_pixel"}
    if arguments["interpolation"] == "nearest":
        how["nearest_mode"] = "round_prefer_ceil"
    height, width = arguments["height"], arguments["width"]
    return _resized(graph, inputs[0], height, width, arguments["interpolation"], **how)


def _flatten(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    return graph.node("Flatten", [graph.named(inputs[0], "last")]), "last"


def _reshape(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    shape = graph.constant([0, *arguments["target_shape"]], np.int64)
    return graph.node("Reshape", [graph.named(inputs[0], "last"), shape]), "last"


def _permute(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name = graph.named(inputs[0], "last")
    return graph.node("Transpose", [name], perm=[0, *arguments["dims"]]), "last"


def _reverse_channels(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    order = graph.constant(np.arange(inputs[0].shape[-1])[::-1], np.int64)
    return graph.node("Gather", [graph.named(inputs[0], "last"), order], axis=3), "last"


def _concatenate(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout, axes = common_layout(inputs), len(inputs[0].shape)
    axis = arguments["axis"]
    axis = axes if axis == -1 else axis
    if layout == "first":
        axis = {1: 2, 2: 3, 3: 1}[axis]
    names = [graph.named(value, layout) for value in inputs]
    return graph.node("Concat", names, axis=axis), layout


PLACES: Mapping[str, Write] = {
    "zero_padding2d": _zero_padding2d,
    "cropping2d": _cropping2d,
    "up_sampling2d": _up_sampling2d,
    "resizing": _resizing,
    "flatten": _flatten,
    "reshape": _reshape,
    "permute": _permute,
    "reverse_channels": _reverse_channels,
    "concatenate": _concatenate,
}

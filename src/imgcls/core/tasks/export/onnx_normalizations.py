"""Layers in ONNX that scale and shift numbers: normalizations, and rescaling by fixed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imgcls.core.tasks.export.onnx_activations import clip
from imgcls.core.tasks.export.onnx_graph import (
    Arguments,
    Graph,
    Layout,
    Parameters,
    Value,
    Write,
    common_layout,
)

_NORMALIZATION_EPSILON = 1e-7  # of Keras' Normalization
_UNIT_EPSILON = 1e-12  # of Keras' UnitNormalization


def _scaled(graph: Graph, inputs: Sequence[Value], scale: Any, offset: Any) -> tuple[str, Layout]:
    """Add x · scale + offset, each one number or one a channel."""
    layout = common_layout(inputs)
    name = graph.named(inputs[0], layout)
    if np.any(np.asarray(scale) != 1):
        name = graph.node("Mul", [name, graph.channels(scale, layout)])
    if np.any(np.asarray(offset) != 0):
        name = graph.node("Add", [name, graph.channels(offset, layout)])
    return name, layout


def _batch_normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    mean, variance = parameters["moving_mean"], parameters["moving_variance"]
    gamma = parameters.get("gamma", np.ones_like(mean))
    beta = parameters.get("beta", np.zeros_like(mean))
    if inputs[0].is_image:  # a runtime merges it with the convolution before
        constants = map(graph.constant, (gamma, beta, mean, variance))
        name = graph.named(inputs[0], "first")
        epsilon = arguments["epsilon"]
        return graph.node("BatchNormalization", [name, *constants], epsilon=epsilon), "first"
    scale = gamma / np.sqrt(variance + arguments["epsilon"])
    return _scaled(graph, inputs, scale, beta - mean * scale)


def _layer_normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name, width = graph.named(inputs[0], "last"), inputs[0].shape[-1]
    gamma = parameters.get("gamma", np.ones(width, np.float32))
    beta = parameters.get("beta", np.zeros(width, np.float32))
    epsilon = arguments["epsilon"]
    if graph.opset >= 17:
        constants = [graph.constant(gamma), graph.constant(beta)]
        return graph.node(
            "LayerNormalization", [name, *constants], axis=-1, epsilon=epsilon
        ), "last"
    rest = graph.node("Sub", [name, graph.node("ReduceMean", [name], axes=[-1])])
    variance = graph.node("ReduceMean", [graph.node("Mul", [rest, rest])], axes=[-1])
    deviation = graph.node("Sqrt", [graph.node("Add", [variance, graph.constant(epsilon)])])
    name = graph.node("Mul", [graph.node("Div", [rest, deviation]), graph.constant(gamma)])
    return graph.node("Add", [name, graph.constant(beta)]), "last"


def _group_normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    height, width, channels = inputs[0].shape
    groups = arguments["groups"]
    parts = graph.constant([0, groups, -1], np.int64)
    name = graph.node("Reshape", [graph.named(inputs[0], "first"), parts])
    ones, zeros = graph.constant(np.ones(groups)), graph.constant(np.zeros(groups))
    epsilon = arguments["epsilon"]
    name = graph.node("InstanceNormalization", [name, ones, zeros], epsilon=epsilon)
    whole = graph.constant([0, channels, height, width], np.int64)
    value = Value(inputs[0].shape, {"first": graph.node("Reshape", [name, whole])})
    return _scaled(graph, [value], parameters.get("gamma", 1.0), parameters.get("beta", 0.0))


def _unit_normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name = graph.named(inputs[0], "last")
    last = graph.constant([-1], np.int64)
    squares = graph.node("ReduceSum", [graph.node("Mul", [name, name]), last])
    norm = graph.node("Sqrt", [clip(graph, squares, _UNIT_EPSILON, None)])
    return graph.node("Div", [name, norm]), "last"


def _normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    scale = 1 / np.maximum(np.sqrt(parameters["variance"]), _NORMALIZATION_EPSILON)
    return _scaled(graph, inputs, scale, -parameters["mean"] * scale)


def _rescaling(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    return _scaled(graph, inputs, arguments["scale"], arguments["offset"])


def _channel_scale(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    return _scaled(graph, inputs, parameters["gamma"], 0.0)


NORMALIZATIONS: Mapping[str, Write] = {
    "batch_normalization": _batch_normalization,
    "layer_normalization": _layer_normalization,
    "group_normalization": _group_normalization,
    "unit_normalization": _unit_normalization,
    "normalization": _normalization,
    "channel_scale": _channel_scale,
    "rescaling": _rescaling,
}

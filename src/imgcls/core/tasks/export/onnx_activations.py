"""Activations in ONNX, as `keras.activations` computes them, and the layers that are one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from imgcls.core.tasks.export.onnx_graph import (
    Arguments,
    Graph,
    Layout,
    Parameters,
    Value,
    Write,
    common_layout,
)

# Graph, name of what goes in, layout → name of what comes out.
Activation = Callable[[Graph, str, Layout], str]

_LEAK = 0.2  # of keras.activations.leaky_relu
_RELU6 = 6.0


def activate(graph: Graph, activation: str, name: str, layout: Layout) -> str:
    """Add an activation, a row of `ACTIVATIONS`; return the name of what comes out."""
    return ACTIVATIONS[activation](graph, name, layout)


def clip(graph: Graph, name: str, low: float, high: float | None) -> str:
    """Add a lower and, unless it is None, an upper bound."""
    bounds = [graph.constant(low)] if high is None else [graph.constant(low), graph.constant(high)]
    return graph.node("Clip", [name, *bounds])


def _plain(kind: str, **attributes: float) -> Activation:
    return lambda graph, name, layout: graph.node(kind, [name], **attributes)


def _along_channels(kind: str) -> Activation:
    return lambda graph, name, layout: graph.node(kind, [name], axis=1 if layout == "first" else -1)


def _times_itself(gate: Activation) -> Activation:
    return lambda graph, name, layout: graph.node("Mul", [name, gate(graph, name, layout)])


def _gelu(graph: Graph, name: str, layout: Layout) -> str:
    inner = graph.node("Erf", [graph.node("Mul", [name, graph.constant(1 / math.sqrt(2))])])
    gate = graph.node("Add", [inner, graph.constant(1.0)])
    return graph.node("Mul", [graph.node("Mul", [name, gate]), graph.constant(0.5)])


def _mish_gate(graph: Graph, name: str, layout: Layout) -> str:
    return graph.node("Tanh", [graph.node("Softplus", [name])])


def _log_sigmoid(graph: Graph, name: str, layout: Layout) -> str:
    return graph.node("Neg", [graph.node("Softplus", [graph.node("Neg", [name])])])


_hard_sigmoid = _plain("HardSigmoid", alpha=1 / 6, beta=0.5)

ACTIVATIONS: Mapping[str, Activation] = {
    "linear": lambda graph, name, layout: name,
    "relu": _plain("Relu"),
    "relu6": lambda graph, name, layout: clip(graph, name, 0.0, _RELU6),
    "leaky_relu": _plain("LeakyRelu", alpha=_LEAK),
    "elu": _plain("Elu"),
    "selu": _plain("Selu"),
    "celu": _plain("Celu"),
    "gelu": _gelu,
    "silu": _times_itself(_plain("Sigmoid")),
    "mish": _times_itself(_mish_gate),
    "hard_silu": _times_itself(_hard_sigmoid),
    "hard_sigmoid": _hard_sigmoid,
    "hard_tanh": lambda graph, name, layout: clip(graph, name, -1.0, 1.0),
    "sigmoid": _plain("Sigmoid"),
    "log_sigmoid": _log_sigmoid,
    "tanh": _plain("Tanh"),
    "softmax": _along_channels("Softmax"),
    "log_softmax": _along_channels("LogSoftmax"),
    "softplus": _plain("Softplus"),
    "softsign": _plain("Softsign"),
    "exponential": _plain("Exp"),
}


def _activation(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout = common_layout(inputs)
    name = graph.named(inputs[0], layout)
    return activate(graph, arguments["activation"], name, layout), layout


def _relu(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout = common_layout(inputs)
    name, highest = graph.named(inputs[0], layout), arguments["max_value"]
    slope, threshold = arguments["negative_slope"], arguments["threshold"]
    if not slope and not threshold:
        if highest is None:
            return graph.node("Relu", [name]), layout
        return clip(graph, name, 0.0, highest), layout
    border = graph.constant(threshold)
    below = graph.node("Mul", [graph.node("Sub", [name, border]), graph.constant(slope)])
    is_below = graph.node("Less", [name, border])
    name = graph.node("Where", [is_below, below, name])
    if highest is not None:
        name = graph.node("Min", [name, graph.constant(highest)])
    return name, layout


def _leaky_relu(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout = common_layout(inputs)
    name = graph.named(inputs[0], layout)
    return graph.node("LeakyRelu", [name], alpha=arguments["negative_slope"]), layout


def _elu(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout = common_layout(inputs)
    return graph.node("Elu", [graph.named(inputs[0], layout)], alpha=arguments["alpha"]), layout


def _prelu(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    slope = graph.constant(parameters["alpha"])
    return graph.node("PRelu", [graph.named(inputs[0], "last"), slope]), "last"


ACTIVATION_LAYERS: Mapping[str, Write] = {
    "activation": _activation,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "prelu": _prelu,
}

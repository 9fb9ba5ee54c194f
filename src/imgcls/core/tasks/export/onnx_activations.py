"""Activations in ONNX: a row each, as `keras.activations` computes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from imgcls.core.tasks.export.onnx_graph import Graph, Layout

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

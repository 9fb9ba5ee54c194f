"""What writes each kind of layer in ONNX: one table, and the plainest of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imgcls.core.tasks.export.onnx_activations import ACTIVATION_LAYERS, activate
from imgcls.core.tasks.export.onnx_graph import (
    Arguments,
    Graph,
    Layout,
    Parameters,
    Value,
    Write,
    common_layout,
)
from imgcls.core.tasks.export.onnx_normalizations import NORMALIZATIONS
from imgcls.core.tasks.export.onnx_places import PLACES
from imgcls.core.tasks.export.onnx_windows import WINDOWS


def _dense(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name = graph.node(
        "MatMul", [graph.named(inputs[0], "last"), graph.constant(parameters["kernel"])]
    )
    if "bias" in parameters:
        name = graph.node("Add", [name, graph.constant(parameters["bias"])])
    return activate(graph, arguments["activation"], name, "last"), "last"


def _arithmetic(kind: str) -> Write:
    def write(
        graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
    ) -> tuple[str, Layout]:
        layout = common_layout(inputs)
        name, *others = [graph.named(value, layout) for value in inputs]
        for other in others:
            name = graph.node(kind, [name, other])
        return name, layout

    return write


def _average(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name, layout = _arithmetic("Add")(graph, inputs, arguments, parameters)
    return graph.node("Mul", [name, graph.constant(1 / len(inputs))]), layout


LAYERS: Mapping[str, Write] = {
    **WINDOWS,
    **NORMALIZATIONS,
    **ACTIVATION_LAYERS,
    **PLACES,
    "dense": _dense,
    "add": _arithmetic("Add"),
    "subtract": _arithmetic("Sub"),
    "multiply": _arithmetic("Mul"),
    "average": _average,
    "maximum": _arithmetic("Max"),
    "minimum": _arithmetic("Min"),
}

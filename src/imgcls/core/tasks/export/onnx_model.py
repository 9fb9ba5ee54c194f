"""A described network as an ONNX model, with its description in the model's properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgcls.core.arrays import Float32Array
from imgcls.core.models.head import Head
from imgcls.core.models.network_description import NetworkDescription, tensor_name
from imgcls.core.tasks.export.onnx_graph import Graph, Value
from imgcls.core.tasks.export.onnx_layers import LAYERS

INPUT, OUTPUT = "image", "scores"


def write_onnx(
    path: Path,
    network: NetworkDescription,
    tensors: Mapping[str, Float32Array],
    head: Head | None,
    *,
    described: Mapping[str, Any],
    opset: int,
    any_batch: bool,
) -> None:
    """Write a network that gives logits as one that gives softmax scores.

    Args:
        path: the file.
        network: its layers, up to the head where there is one.
        tensors: their parameters, as `NetworkDescription.tensors` names them.
        head: dense layers on its output.
        described: see `ExportedDescription.to_json`.
        opset: the version of ONNX' operators.
        any_batch: whether it takes any number of images, or one.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = Graph(opset)
    logits = _head(graph, write_layers(graph, network, tensors, described["dtype"]), head)
    graph.nodes.append(helper.make_node("Softmax", [logits], [OUTPUT], name=OUTPUT, axis=-1))
    batch = "batch" if any_batch else 1
    dtype = TensorProto.UINT8 if described["dtype"] == "uint8" else TensorProto.FLOAT
    classes = len(described["labels"])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            described["model"],
            [helper.make_tensor_value_info(INPUT, dtype, [batch, *network.input_shape])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [batch, classes])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        # The least, so that older runtimes read it.
        ir_version=helper.find_min_ir_version_for([helper.make_opsetid("", opset)]),
        producer_name="imgcls",
    )
    graph.constants.clear()  # the model has a copy
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in described.items()}
    helper.set_model_props(model, texts)
    onnx.save(model, path)


def read_properties(path: Path) -> dict[str, Any]:
    """Return the description that an ONNX file carries."""
    import onnx

    properties = onnx.load(path, load_external_data=False).metadata_props
    return {entry.key: json.loads(entry.value) for entry in properties}


def write_layers(
    graph: Graph, network: NetworkDescription, tensors: Mapping[str, Float32Array], dtype: str
) -> Value:
    """Add all layers of a network to a graph whose input is `INPUT`; return what comes out."""
    from onnx import TensorProto

    first, *layers = network.layers
    name = INPUT
    if dtype == "uint8":
        name = graph.node("Cast", [name], to=TensorProto.FLOAT)
    values = {first.name: Value(network.input_shape, {"last": name})}
    for layer in layers:
        parameters = {
            parameter: tensors[tensor_name(layer.name, parameter)]
            for parameter in network.parameters.get(layer.name, ())
        }
        inputs = [values[name] for name in layer.inputs]
        output, layout = LAYERS[layer.kind](graph, inputs, layer.arguments, parameters)
        values[layer.name] = Value(network.shapes[layer.name], {layout: output})
    return values[layers[-1].name]


def _head(graph: Graph, features: Value, head: Head | None) -> str:
    name = graph.named(features, "last")
    layers = head.layers if head is not None else ()
    for position, (kernel, bias) in enumerate(layers):
        if position:
            name = graph.node("Relu", [name])
        name = graph.node("MatMul", [name, graph.constant(kernel)])
        name = graph.node("Add", [name, graph.constant(bias)])
    return name

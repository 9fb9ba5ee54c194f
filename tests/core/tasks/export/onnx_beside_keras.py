"""Layers in ONNX beside Keras: what they are tried on, and that both give the same."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
import pytest

from imgcls.core.keras.described import build_described, described_variables
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.tasks.export.onnx_graph import Graph
from imgcls.core.tasks.export.onnx_model import INPUT as IMAGE
from imgcls.core.tasks.export.onnx_model import write_layers
from tests.core.engines.test_described import weights
from tests.core.keras.test_described import EXAMPLES

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

BATCH = np.random.default_rng(5).normal(0, 2, (2, 9, 9, 3)).astype(np.float32)
_MORE: list[tuple[str, dict[str, Any]]] = [
    ("conv2d", {"filters": 4, "kernel_size": (5, 5), "strides": (3, 3), "padding": "same"}),
    ("relu", {}),
    ("relu", {"max_value": 6.0}),
    ("average_pooling2d", {"pool_size": (3, 3), "strides": (2, 2), "padding": "same"}),
    ("global_max_pooling2d", {}),
    ("up_sampling2d", {"size": (2, 3), "interpolation": "bilinear"}),
    ("resizing", {"height": 5, "width": 12, "interpolation": "nearest"}),
    ("prelu", {}),
    ("concatenate", {"axis": 1}),
    ("layer_normalization", {"epsilon": 0.001, "center": False}),
]
TRIED = [*EXAMPLES, *_MORE]


def tried(kinds: Container[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the layers of some kinds, each with arguments, that ONNX and Keras are compared on."""
    return [(kind, arguments) for kind, arguments in TRIED if kind in kinds]


def run(described: NetworkDescription, tensors: dict[str, np.ndarray], opset: int) -> np.ndarray:
    graph = Graph(opset)
    value = write_layers(graph, described, tensors, "float32")
    name = graph.named(value, "last")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    made = helper.make_graph(
        graph.nodes,
        "one",
        [helper.make_tensor_value_info(IMAGE, kind, ["n", *described.input_shape])],
        [helper.make_tensor_value_info(name, kind, ["n", *value.shape])],
        graph.constants,
    )
    imports = [helper.make_opsetid("", opset)]
    model = helper.make_model(made, opset_imports=imports, ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.asarray(session.run(None, {IMAGE: BATCH})[0])


def agrees(described: NetworkDescription, opset: int = 17) -> None:
    model, tensors = build_described(described), weights(described)
    for name, variable in described_variables(model, described).items():
        variable.assign(tensors[name])
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    expected = np.asarray(model(BATCH, training=False))
    given = run(described, tensors, opset)
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=2e-5)

"""Each kind of layer in ONNX against Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.keras.described import build_described, described_variables
from imgcls.core.models.layer_kinds import INPUT, LAYER_KINDS
from imgcls.core.models.network_description import Layer, NetworkDescription
from imgcls.core.tasks.export.onnx_graph import Graph
from imgcls.core.tasks.export.onnx_layers import LAYERS
from imgcls.core.tasks.export.onnx_model import INPUT as IMAGE
from imgcls.core.tasks.export.onnx_model import write_layers
from tests.core.engines.test_described import weights
from tests.core.keras.test_described import EXAMPLES, network

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

BATCH = np.random.default_rng(5).normal(0, 2, (2, 9, 9, 3)).astype(np.float32)
MORE: list[tuple[str, dict[str, Any]]] = [
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


def agrees(described: NetworkDescription, opset: int) -> None:
    model, tensors = build_described(described), weights(described)
    for name, variable in described_variables(model, described).items():
        variable.assign(tensors[name])
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    expected = np.asarray(model(BATCH, training=False))
    given = run(described, tensors, opset)
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=2e-5)


def test_every_kind_is_there() -> None:
    assert {INPUT, *LAYERS} == LAYER_KINDS.keys()


@pytest.mark.parametrize(("kind", "arguments"), [*EXAMPLES, *MORE])
def test_each_kind(kind: str, arguments: dict[str, Any]) -> None:
    agrees(network(kind, arguments), 17)


@pytest.mark.parametrize("opset", [13, 23])
def test_opsets(opset: int) -> None:
    layers = [Layer("0", INPUT, (), {"height": 9, "width": 9, "channels": 3})]
    skipped = ("flatten", "reshape", "permute", "dense")  # or the next would have no image
    for kind, arguments in [*EXAMPLES, *MORE]:
        if kind in skipped or "global" in kind or LAYER_KINDS[kind].inputs != (1, 1):
            continue
        if kind == "activation" and arguments["activation"] not in ("softplus", "softmax"):
            continue
        layers.append(Layer(str(len(layers)), kind, ("0",), arguments))
        flat = ("flat" + layers[-1].name, "flatten", (layers[-1].name,))
        layers.append(Layer(*flat))
    flats = tuple(layer.name for layer in layers if layer.kind == "flatten")
    agrees(NetworkDescription((*layers, Layer("all", "concatenate", flats))), opset)


def test_softmax_along_channels_in_either_layout() -> None:
    image = Layer("image", INPUT, (), {"height": 9, "width": 9, "channels": 3})
    conv = Layer("conv", "conv2d", ("image",), {"filters": 4, "kernel_size": (3, 3)})
    norm = Layer("norm", "layer_normalization", ("conv",), {"epsilon": 0.001})
    for before in ("conv", "norm"):
        layers = [image, conv, norm] if before == "norm" else [image, conv]
        last = Layer("soft", "activation", (before,), {"activation": "softmax"})
        agrees(NetworkDescription((*layers, last)), 17)

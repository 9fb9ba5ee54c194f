from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.layer_kinds import INPUT, LAYER_KINDS
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.tasks.export.onnx_activations import ACTIVATION_LAYERS
from imgcls.core.tasks.export.onnx_layers import LAYERS
from imgcls.core.tasks.export.onnx_normalizations import NORMALIZATIONS
from imgcls.core.tasks.export.onnx_places import PLACES
from imgcls.core.tasks.export.onnx_windows import WINDOWS
from tests.core.keras.test_described import network
from tests.core.tasks.export.onnx_beside_keras import TRIED, agrees, tried

# Those of the other tables are tried in their own files.
OWN = LAYERS.keys() - (WINDOWS | NORMALIZATIONS | PLACES | ACTIVATION_LAYERS).keys()


def test_every_kind_of_layer_is_in_one_table() -> None:
    parts = [*WINDOWS, *NORMALIZATIONS, *PLACES, *ACTIVATION_LAYERS, *OWN]
    assert sorted([INPUT, *parts]) == sorted(LAYER_KINDS)


@pytest.mark.parametrize(("kind", "arguments"), tried(OWN))
def test_dense_layers_and_arithmetic_give_what_they_give_in_keras(
    kind: str, arguments: dict[str, Any]
) -> None:
    agrees(network(kind, arguments))


@pytest.mark.parametrize("opset", [13, 23])
def test_all_kinds_together_in_an_old_and_a_new_opset(opset: int) -> None:
    layers = [Layer("0", INPUT, (), {"height": 9, "width": 9, "channels": 3})]
    skipped = ("flatten", "reshape", "permute", "dense")  # or the next would have no image
    for kind, arguments in TRIED:
        if kind in skipped or "global" in kind or LAYER_KINDS[kind].inputs != (1, 1):
            continue
        if kind == "activation" and arguments["activation"] not in ("softplus", "softmax"):
            continue
        layers.append(Layer(str(len(layers)), kind, ("0",), arguments))
        flat = ("flat" + layers[-1].name, "flatten", (layers[-1].name,))
        layers.append(Layer(*flat))
    flats = tuple(layer.name for layer in layers if layer.kind == "flatten")
    agrees(NetworkDescription((*layers, Layer("all", "concatenate", flats))), opset)

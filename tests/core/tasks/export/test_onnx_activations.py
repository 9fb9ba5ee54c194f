from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.layer_kinds import ACTIVATIONS as KNOWN
from imgcls.core.models.layer_kinds import INPUT
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.tasks.export.onnx_activations import ACTIVATION_LAYERS, ACTIVATIONS
from tests.core.keras.test_described import network
from tests.core.tasks.export.onnx_beside_keras import agrees, tried


@pytest.mark.parametrize(("kind", "arguments"), tried(ACTIVATION_LAYERS))
def test_activations_give_what_they_give_in_keras(kind: str, arguments: dict[str, Any]) -> None:
    agrees(network(kind, arguments))


def test_every_activation_has_a_row() -> None:
    assert set(ACTIVATIONS) == set(KNOWN)


def test_softmax_along_channels_in_either_layout() -> None:
    image = Layer("image", INPUT, (), {"height": 9, "width": 9, "channels": 3})
    conv = Layer("conv", "conv2d", ("image",), {"filters": 4, "kernel_size": (3, 3)})
    norm = Layer("norm", "layer_normalization", ("conv",), {"epsilon": 0.001})
    for before in ("conv", "norm"):
        layers = [image, conv, norm] if before == "norm" else [image, conv]
        last = Layer("soft", "activation", (before,), {"activation": "softmax"})
        agrees(NetworkDescription((*layers, last)))

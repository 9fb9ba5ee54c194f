"""The layers of a network as text and JSON."""

from __future__ import annotations

import json

from imgcls.core.keras.layer_rows import LayerRow
from imgcls.core.tasks.models.layers import NetworkSummary
from imgcls.render.layers import json_object, text

SUMMARY = NetworkSummary(
    "pets\x1b.safetensors",
    (
        LayerRow("image", "InputLayer", (None, None, 3), 0, 0, None),
        LayerRow("conv", "Conv2D", (224, 224, 64), 1792, 0, "frozen"),
        LayerRow("norm", "BatchNormalization", (224, 224, 64), 256, 128, "frozen"),
        LayerRow("head_0", "Dense", (2,), 1_000_000, 0, "trained"),
    ),
)


def test_text() -> None:
    assert "".join(text(SUMMARY)).splitlines() == [
        "pets\\x1b.safetensors",
        "  layer   kind                output      parameters  weights",
        "  image   InputLayer          ?×?×3",
        "  conv    Conv2D              224×224×64       1,792  frozen",
        "  norm    BatchNormalization  224×224×64         256  frozen",
        "  head_0  Dense               2            1,000,000  trained",
        "  4 layers, 1,002,048 parameters: 2,048 frozen, 1,000,000 trained; "
        "128 of them are statistics of normalization",
    ]


def test_json() -> None:
    found = json.loads("".join(json_object(SUMMARY)))
    assert found["model"] == "pets\x1b.safetensors"
    assert found["layers"][2] == {
        "name": "norm",
        "kind": "BatchNormalization",
        "shape": [224, 224, 64],
        "parameters": 256,
        "statistics": 128,
        "weights": "frozen",
    }
    assert found["origins"] == {"frozen": 2048, "trained": 1_000_000}
    assert (found["parameters"], found["statistics"]) == (1_002_048, 128)

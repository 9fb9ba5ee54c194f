from __future__ import annotations

import json
import re

from imgcls.core.models import network_limits as limits
from imgcls.core.models.layer_kinds import LAYER_KINDS
from imgcls.core.models.network_description import NetworkDescription
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "model_file.md").read_text("utf-8")


def test_the_example_is_a_network() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    described = NetworkDescription.from_json(json.loads(example))
    assert described.output_shape == (8,)


def test_every_kind_is_listed() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", TEXT, re.MULTILINE)
    assert listed == [
        (
            name,
            ", ".join(kind.arguments) or "none",
            "two to 64" if kind.inputs[1] > 2 else str(kind.inputs[1]),
        )
        for name, kind in LAYER_KINDS.items()
    ]


def test_limits() -> None:
    assert f"at most {limits.MAX_LAYERS:,} layers, {limits._MAX_DEPTH} of them" in TEXT
    assert (limits.MAX_NUMBERS, limits._MAX_LIVE_NUMBERS) == (2**26, 2**28)
    assert limits._MAX_WORK == 10**12
    assert round(limits._MAX_TOTAL_NUMBERS / 1e9, 1) == 1.6

from __future__ import annotations

from imgcls.core.models.layer_kinds import ACTIVATIONS as KNOWN
from imgcls.core.tasks.export.onnx_activations import ACTIVATIONS


def test_every_activation_has_a_row() -> None:  # each is run in test_onnx_layers.py
    assert set(ACTIVATIONS) == set(KNOWN)

"""A model that is known but not opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.engines.closed import closed_model
from imgcls.core.engines.model import load_model
from imgcls.core.errors import ModelError, UsageError, WeightsError


def test_it_says_what_it_is(compiled_default: Path) -> None:
    closed, opened = closed_model("efficientnet-lite0"), load_model("efficientnet-lite0")
    for name in ("name", "network", "preprocessing", "labels", "head", "precision"):
        assert getattr(closed, name) == getattr(opened, name)


def test_its_weights_need_not_be_here() -> None:
    closed = closed_model("resnet50", language="zh")
    assert closed.labels[281].label == "虎斑猫"
    assert closed.network.spec.default_layer == "conv5_block3_out"


def test_what_is_wrong_with_what_was_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="resnet5: no such model"):
        closed_model("resnet5")
    with pytest.raises(WeightsError, match="no such weights file"):
        closed_model("resnet50", str(tmp_path / "w.h5"))
    with pytest.raises(UsageError, match="has its own weights"):
        closed_model(str(tmp_path / "m.safetensors"), "w.h5")

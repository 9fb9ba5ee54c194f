from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def copy_photos() -> Callable[[Path, Path, int], None]:
    """Return a function that copies the first photos of a folder into another."""

    def copy(source: Path, target: Path, count: int) -> None:
        target.mkdir()
        for photo in sorted(source.iterdir())[:count]:
            shutil.copy(photo, target)

    return copy

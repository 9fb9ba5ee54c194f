from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.tasks.classify.classify import Record
from tests.core.tasks.classify.sorted_photos import failed, make, ok


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    make(tmp_path / "in", "a/x.jpg", "b/x.jpg", "c/x.jpg", "dog.jpg", "what.jpg", "bad.jpg")
    root = tmp_path / "in"
    return [
        ok(root / "a/x.jpg"),
        ok(root / "b/x.jpg"),
        ok(root / "c/x.jpg"),
        ok(root / "dog.jpg", "=dog"),
        ok(root / "what.jpg", "cat", "unknown"),
        failed(root / "bad.jpg"),
    ]

"""docs/pictures.md shows every picture of docs/images, and each is small."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_picture_is_shown_and_small() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(images/([^)]+)\)", (DOCS / "pictures.md").read_text("utf-8"))
    pictures = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}
    assert sorted(shown) == sorted(pictures)
    assert max(pictures.values()) < 300_000

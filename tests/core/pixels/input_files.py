"""Files to be found as inputs, and what was found."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from imgcls.core.pixels.source import Source

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def names(found: Iterable[Source]) -> list[str]:
    return [source.name for source in found]


def make(folder: Path, *paths: str) -> None:
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(PNG)

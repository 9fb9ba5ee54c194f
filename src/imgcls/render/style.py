"""Colour, bars and columns for people who look at a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

Ink = Literal["strong", "faint", "good", "doubtful", "bad"]

# SGR numbers (ECMA-48): the terminal's own palette, so that they suit its background.
_SGR: Mapping[Ink, int] = {"strong": 1, "faint": 2, "good": 32, "doubtful": 33, "bad": 31}

_EIGHTHS = " ▏▎▍▌▋▊▉█"


class Style(NamedTuple):
    """How text is adorned.

    Attributes:
        color: whether escape sequences may be written.
        bars: whether scores are drawn beside their numbers.
    """

    color: bool = False
    bars: bool = False

    def paint(self, text: str, ink: Ink) -> str:
        """Return text in an ink; as it is without colour."""
        return f"\x1b[{_SGR[ink]}m{text}\x1b[0m" if self.color else text

    def bar(self, share: float, width: int = 20) -> str:
        """Return a bar for a share of 0 to 1, padded to `width` and followed by two spaces.

        Empty without bars.
        """
        if not self.bars:
            return ""
        eighths = math.floor(min(max(share, 0.0), 1.0) * width * 8 + 0.5)
        full, rest = divmod(eighths, 8)
        drawn = "█" * full + (_EIGHTHS[rest] if rest else "")
        return self.paint(f"{drawn:<{width}}", "faint") + "  "


class Painted(str):
    """Text that may hold our own escape sequences, and whose names had theirs written out."""

    __slots__ = ()


PLAIN = Style()


def padded(texts: Iterable[str]) -> list[str]:
    """Return texts with spaces after them, so that each takes as many columns of a terminal."""
    rows = list(texts)
    widths = [columns(text) for text in rows]
    widest = max(widths, default=0)
    return [text + " " * (widest - width) for text, width in zip(rows, widths, strict=True)]


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for 猫, none for an accent."""
    if text.isascii():
        return len(text)
    import unicodedata

    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(unicodedata.combining(sign) > 0 for sign in text)

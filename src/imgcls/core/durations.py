"""Lengths of time in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a length of time as people say it: "less than 1 s", "35 s", "4 min", "1 h 12 min"."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"

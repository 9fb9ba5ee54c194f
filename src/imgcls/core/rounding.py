"""How scores and other shares are rounded, the same in every format."""

from __future__ import annotations


def rounded(value: float) -> float:
    """Round to six significant digits, about what float32 holds for sure."""
    return float(f"{value:.6g}")

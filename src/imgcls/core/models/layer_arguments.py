"""What an argument of a described layer may be: every value is checked, none is trusted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# What an argument is: a number, a word, a flag, or tuples of them. JSON's lists become tuples.
Value = bool | int | float | str | None | tuple["Value", ...]
Check = Callable[[Any], Value]

_MAX_CHANNELS = 2**16


@dataclass(frozen=True)
class Argument:
    """One argument of a kind of layer.

    Attributes:
        check: returns the value as it is kept; raises ValueError with what it may be.
        default: what it is where a layer does not give it; `...` where each layer must.
    """

    check: Check
    default: Any = ...


def whole(least: int, most: int) -> Check:
    """Return the check of a whole number from `least` to `most`."""

    def check(value: Any) -> Value:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return check


def real(least: float, most: float, *, or_none: bool = False) -> Check:
    """Return the check of a finite number from `least` to `most`."""

    def check(value: Any) -> Value:
        if value is None and or_none:
            return None
        if type(value) not in (int, float) or not least <= value <= most:  # NaN is not
            raise ValueError(f"a number from {least:g} to {most:g}")
        return float(value)

    return check


def flag(value: Any) -> Value:
    """Check that a value is true or false."""
    if type(value) is not bool:
        raise ValueError("true or false")
    return value


def choice(*words: str) -> Check:
    """Return the check of one of some words."""

    def check(value: Any) -> Value:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return value

    return check


def several(check: Check, least: int, most: int) -> Check:
    """Return the check of a list of `least` to `most` values, each of which passes `check`."""

    def check_all(values: Any) -> Value:
        if not isinstance(values, list | tuple) or not least <= len(values) <= most:
            length = f"{least}" if least == most else f"{least} to {most}"
            raise ValueError(f"a list of {length}")
        return tuple(check(value) for value in values)

    return check_all


def one_or_each_channel(check: Check) -> Check:
    """Return the check of a value that is one for all channels, or a list with one for each."""
    each = several(check, 1, _MAX_CHANNELS)
    return lambda value: each(value) if isinstance(value, list | tuple) else check(value)


CHANNELS = whole(1, _MAX_CHANNELS)
PIXELS = whole(1, 4096)
WINDOW = several(whole(1, 1024), 2, 2)  # height and width of a kernel, pool or stride
EDGES = several(several(whole(0, 1024), 2, 2), 2, 2)  # ((top, bottom), (left, right))
PADDING = choice("valid", "same")
EPSILON = real(0, 1)
ANY_REAL = real(-math.ldexp(1, 100), math.ldexp(1, 100))

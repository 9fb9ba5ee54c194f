"""Progress of long work inside the library, for whoever wants to show it; silent by default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

# (items, their unit in the plural, how many there will be) → the same items.
Show = Callable[[Iterable[Any], str, int | None], Iterator[Any]]

_shows: list[Show] = []


def show_with(show: Show) -> None:
    """Let `show` display all progress from now on; the command line does this once."""
    _shows[:] = [show]


def progress(items: Iterable[T], unit: str, total: int | None = None) -> Iterator[T]:
    """Yield the items, while whoever asked for it shows how far they are.

    Args:
        items: what is being done.
        unit: what an item is, in the plural.
        total: how many there will be, if that is known.
    """
    return _shows[0](items, unit, total) if _shows else iter(items)

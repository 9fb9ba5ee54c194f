"""Progress of long work inside the library, for whoever wants to show it; silent by default."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from imgcls.core.words import counted

T = TypeVar("T")


class Show(Protocol):
    """Yields the items, and shows meanwhile how far they are; see `progress`."""

    def __call__(
        self,
        items: Iterable[T],
        unit: str,
        total: int | None = None,
        *,
        title: str = "",
        status: Callable[[], str] | None = None,
        amount: Callable[[Any], int] | None = None,
    ) -> Iterator[T]:
        """Yield the items."""
        ...


# What is being done → a context in which whoever asked for it is shown that.
Wait = Callable[[str], contextlib.AbstractContextManager[None]]

_shows: list[Show] = []
_waits: list[Wait] = []


def show_with(show: Show, wait: Wait | None = None) -> None:
    """Display all progress by `show`, and all that takes long in one piece by `wait`, from now on.

    The command line does this once.
    """
    _shows[:] = [show]
    _waits[:] = [] if wait is None else [wait]


def working(what: str) -> contextlib.AbstractContextManager[None]:
    """Return a context for work that takes long in one piece.

    Args:
        what: is being done: "compiling vgg16 for this machine, usually 3 min".
    """
    return _waits[0](what) if _waits else contextlib.nullcontext()


def progress(
    items: Iterable[T],
    unit: str,
    total: int | None = None,
    *,
    title: str = "",
    status: Callable[[], str] | None = None,
    amount: Callable[[Any], int] | None = None,
) -> Iterator[T]:
    """Yield the items, while whoever asked for it shows how far they are.

    Args:
        items: what is being done.
        unit: what is counted, in the singular.
        total: how many there will be, if that is known.
        title: what is being done, where the unit does not say it.
        status: what to say of the work now, in place of its speed.
        amount: how many units an item is; default: one.
    """
    if not _shows:
        return iter(items)
    return _shows[0](items, unit, total, title=title, status=status, amount=amount)


def with_bar(items: Iterable[T], unit: str) -> Iterator[T]:
    """Yield the items, with a line of rich's on standard error or in a notebook meanwhile.

    For Python callers who ask for it; the command line has a bar of its own.

    Args:
        items: what is being done.
        unit: what is counted, in the singular.
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    count = TextColumn("{task.description}")
    console = Console(stderr=True)
    with Progress(SpinnerColumn(), count, TimeElapsedColumn(), console=console) as shown:
        task = shown.add_task(counted(0, unit), total=None)
        for done, item in enumerate(items, 1):
            shown.update(task, description=counted(done, unit))
            yield item

"""The bar on a terminal that shows how far long work is, within 80 columns."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from imgcls.cli.wording import rate_text
from imgcls.core.words import duration

_WIDTH = 20  # of the bar, in columns
_NARROW = 8  # where much is said beside it


class Bar:
    """Shows how far some work is until it is stopped, and then leaves nothing behind."""

    def __init__(
        self,
        unit: str,
        total: int | None,
        *,
        title: str = "",
        status: Callable[[], str] | None = None,
        started: float,
    ) -> None:
        """Show it.

        Args:
            unit: what is counted, in the plural.
            total: how many there will be, if that is known.
            title: what stands before the bar.
            status: what stands behind it; default: the count, the speed and the time left.
            started: when the work began, by `time.monotonic`.
        """
        self._done = 0
        self._status = status or (
            lambda: facts(self._done, total, unit, time.monotonic() - started)
        )
        self._bar = self._shown(total, title, _NARROW if status else _WIDTH)

    def update(self, done: int) -> None:
        """Show that so many units are done."""
        self._done = done
        self._bar.update(self._bar.task_ids[0], completed=done)

    def stop(self) -> None:
        """Take it from the screen."""
        self._bar.stop()

    def _shown(self, total: int | None, title: str, width: int) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
        from rich.text import Text

        status = self._status

        class Status(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(status(), no_wrap=True, overflow="ellipsis")

        before = [TextColumn("{task.description}", markup=False)] if title else []
        columns = (*before, BarColumn(width), Status())
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        bar.add_task(title, total=total)
        bar.start()
        return bar


def facts(done: int, total: int | None, unit: str, seconds: float) -> str:
    """Return how far some work is.

    Such as "120/1000 images (12%), 0.4 images/s, 37 min left", or, where nobody knows how many
    there will be, "120 images, 0.4 images/s".
    """
    rate = done / seconds if seconds > 0 else 0.0
    speed = f", {rate_text(rate, unit)}" if rate else ""
    if not total:
        return f"{done} {unit}{speed}"
    left = f", {duration((total - done) / rate)} left" if rate > 0 and done < total else ""
    return f"{done}/{total} {unit} ({done / total:.0%}){speed}{left}"

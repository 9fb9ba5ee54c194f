"""The bar and the spinner on a terminal that show how far long work is, within 80 columns."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from imgcls.cli.wording import rate_text
from imgcls.core.words import counted, duration

# What is over at once is not shown.
SHOWN_AFTER = 1.0  # seconds

# What stands on the screen now, the last of it in the last line.
_lines: list[Any] = []

_WIDTH = 20  # of the bar, in columns
_NARROW = 8  # where much is said beside it


class Bar:
    """Shows how far some work is until it is stopped, and then leaves nothing behind."""

    def __init__(
        self,
        unit: str,
        total: int | Callable[[], int | None] | None,
        *,
        title: str = "",
        status: Callable[[], str] | None = None,
        started: float,
    ) -> None:
        """Show it.

        Args:
            unit: what is counted, in the singular.
            total: how many there will be, if that is known; or what says it once it is.
            title: what stands before the bar.
            status: what stands behind it; default: the count, the speed and the time left.
            started: when the work began, by `time.monotonic`.
        """
        self._done = 0
        self._total: Callable[[], int | None] = total if callable(total) else lambda: total
        self._status = status or (
            lambda: facts(self._done, self._total(), unit, time.monotonic() - started)
        )
        self._bar = self._shown(title, _NARROW if status else _WIDTH)

    def update(self, done: int) -> None:
        """Show that so many units are done."""
        self._done = done
        self._bar.update(self._bar.task_ids[0], completed=done, total=self._total())

    def stop(self) -> None:
        """Take it from the screen."""
        take_line(self._bar)

    def _shown(self, title: str, width: int) -> Any:
        from rich.progress import BarColumn, TextColumn

        before = [TextColumn("{task.description}", markup=False)] if title else []
        return show_line([*before, BarColumn(width)], lambda: self._status(), title, self._total())


class Spinner:
    """Shows what takes long in one piece, once it does, and for how long it has.

    While a bar stands there, it waits.
    """

    def __init__(self) -> None:
        self._works: list[tuple[str, float]] = []
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._line: Any = None
        self._terminal = -1  # a descriptor, while something is done

    @contextlib.contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Show, until the block ends, that this is being done; of several the last that began."""
        work = (what, time.monotonic())
        with self._lock:
            if not self._works:  # now, since Keras is started with descriptor 2 leading nowhere
                self._terminal = os.dup(sys.stderr.fileno())
            self._works.append(work)
            self.resume()
        try:
            yield
        finally:
            with self._lock:
                self._works.remove(work)
                if not self._works:
                    self.pause()
                    os.close(self._terminal)

    def pause(self) -> None:
        """Take it from the screen."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._line is not None:
                take_line(self._line)
                self._line = None

    def resume(self) -> None:
        """Show it in a second, if there is anything to show."""
        with self._lock:
            if self._works and self._timer is None:
                self._timer = threading.Timer(SHOWN_AFTER, self._show)
                self._timer.daemon = True
                self._timer.start()

    def _show(self) -> None:
        from rich.progress import SpinnerColumn

        with self._lock:
            if self._works and self._timer is not None:
                columns = [SpinnerColumn("line")]
                self._line = show_line(columns, self._status, terminal=self._terminal)

    def _status(self) -> str:
        works = self._works[-1:]  # a copy: the screen is drawn in a thread of its own
        return "".join(f"{what} ({time.monotonic() - began:.0f} s)" for what, began in works)


def show_line(
    columns: list[Any], status: Callable[[], str], *task: Any, terminal: int | None = None
) -> Any:
    """Show columns of rich's and a text behind them in the last line of the screen.

    Args:
        columns: what stands before the text.
        status: gives the text.
        task: what rich's `add_task` takes.
        terminal: the descriptor of the screen; default: that of standard error.
    """
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text

    class Status(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(status(), no_wrap=True, overflow="ellipsis")

    # A file of its own: what native libraries write is kept from descriptor 2 now and then.
    descriptor = sys.stderr.fileno() if terminal is None else terminal
    file = os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace")
    console = Console(file=file, force_terminal=True)
    line = Progress(*columns, Status(), console=console, transient=True, redirect_stdout=False)
    description, total = task or ("", None)
    line.add_task(description, total=total)
    line.start()
    _lines.append(line)
    return line


def take_line(line: Any) -> None:
    """Take a line from the screen."""
    _lines.remove(line)
    line.stop()
    line.console.file.close()


@contextlib.contextmanager
def above_lines() -> Iterator[None]:
    """Write whole lines to the screen in this block: they come to stand above what is shown."""
    if not _lines:
        yield
        return
    line = _lines[-1]
    with line.live._lock:  # which it takes while it draws itself
        line.console.file.write("\r\x1b[2K")
        line.console.file.flush()
        yield


def facts(done: int, total: int | None, unit: str, seconds: float) -> str:
    """Return how far some work is.

    Such as "120/1000 images (12%), 0.4 images/s, 37 min left", or, where nobody knows how many
    there will be, "120 images, 0.4 images/s".
    """
    rate = done / seconds if seconds > 0 else 0.0
    speed = f", {rate_text(rate, unit)}" if rate else ""
    if not total or total < done:  # of files that came meanwhile nobody knew
        return f"{counted(done, unit)}{speed}"
    left = f", {duration((total - done) / rate)} left" if rate > 0 and done < total else ""
    return f"{done}/{counted(total, unit)} ({done / total:.0%}){speed}{left}"

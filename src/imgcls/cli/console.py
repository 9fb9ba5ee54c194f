"""What a run says beside its results: notices, warnings, progress, a closing summary."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeVar

import click

from imgcls.cli.wording import option_names, rate_text
from imgcls.core.progress import show_with
from imgcls.render.safe import printable

T = TypeVar("T")

# A bar that would be gone at once is not shown.
_PROGRESS_AFTER = 1.0  # seconds


class Console:
    """Standard error, as `-v` and `-q` want it."""

    def __init__(self, *, verbose: bool, quiet: bool) -> None:
        self.verbose = self.quiet = False
        log = logging.getLogger("imgcls")
        log.handlers = [_Notices()]
        log.propagate = False
        warnings.showwarning = _show_warning  # type: ignore[assignment]  # takes any arguments
        show_with(self.progress)
        self.configure(verbose=verbose, quiet=quiet)

    def configure(self, *, verbose: bool = False, quiet: bool = False) -> None:
        """Show more or less from now on; what was asked for before stays."""
        self.verbose |= verbose
        self.quiet |= quiet
        level = logging.ERROR if self.quiet else logging.INFO
        logging.getLogger("imgcls").setLevel(logging.DEBUG if self.verbose else level)
        warnings.resetwarnings()
        if not self.verbose:
            # Pillow and others warn of oddities in files; the record says what matters.
            warnings.simplefilter("ignore")
        action: Literal["ignore", "default"] = "ignore" if self.quiet else "default"
        warnings.filterwarnings(action, category=UserWarning, module="imgcls")

    def say(self, message: str) -> None:
        """Print a line on standard error unless `-q`."""
        if not self.quiet:
            click.echo(printable(message), err=True)

    def progress(self, items: Iterable[T], unit: str, total: int | None = None) -> Iterator[T]:
        """Yield the items, with a bar on a terminal once it takes over a second.

        Args:
            items: what is being done.
            unit: what an item is, in the plural.
            total: how many there will be, if that is known.
        """
        if self.quiet or not sys.stderr.isatty():
            yield from items
            return
        started, bar, done = time.monotonic(), None, 0
        try:
            for item in items:
                done += 1
                if bar is None and time.monotonic() - started > _PROGRESS_AFTER:
                    bar = _bar(unit, total)
                if bar is not None:
                    bar.update(bar.task_ids[0], completed=done)
                yield item
        finally:
            if bar is not None:
                bar.stop()


def _bar(unit: str, total: int | None) -> Any:
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(rate_text(task.speed or 0, unit))

    bar = Progress(
        TextColumn(unit),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TimeRemainingColumn(),
        console=RichConsole(stderr=True),
        transient=True,
    )
    bar.add_task(unit, total=total)
    bar.start()
    return bar


class _Notices(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        prefix = "Warning: " if record.levelno >= logging.WARNING else ""
        click.echo(prefix + printable(option_names(record.getMessage())), err=True)
        if record.exc_info:  # one image failed; -v shows where
            click.echo(logging.Formatter().formatException(record.exc_info), err=True)


def _show_warning(message: Warning | str, *_: Any) -> None:
    click.echo(f"Warning: {printable(option_names(str(message)))}", err=True)

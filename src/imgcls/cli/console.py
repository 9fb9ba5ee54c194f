"""What a run says beside its results: notices, warnings, progress, a closing summary."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar

import click

from imgcls.cli.bar import SHOWN_AFTER, Bar, Spinner, facts
from imgcls.cli.wording import option_names
from imgcls.core.progress import show_with
from imgcls.core.safe import printable

T = TypeVar("T")

# Where nobody looks at a bar, a line is written, and no more often than so.
_LINE_EVERY = 10.0  # seconds


class Console:
    """Standard error, as `-v` and `-q` want it."""

    def __init__(self, *, verbose: bool, quiet: bool) -> None:
        self.verbose = self.quiet = False
        log = logging.getLogger("imgcls")
        log.handlers = [_Notices()]
        log.propagate = False
        warnings.showwarning = _show_warning  # type: ignore[assignment]  # takes any arguments
        self._spinner = Spinner()
        show_with(self.progress, self.working)
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

    def progress(
        self,
        items: Iterable[T],
        unit: str,
        total: int | Callable[[], int | None] | None = None,
        *,
        title: str = "",
        status: Callable[[], str] | None = None,
        amount: Callable[[Any], int] | None = None,
    ) -> Iterator[T]:
        """Yield the items, with a bar on a terminal once it takes over a second.

        Elsewhere a line says every ten seconds how far it is.

        Args:
            items: what is being done.
            unit: what is counted, in the singular.
            total: how many there will be, if that is known; or what says it once it is.
            title: what is being done, where the unit does not say it.
            status: what to say of the work now, in place of its speed.
            amount: how many units an item is; default: one.
        """
        if self.quiet:
            yield from items
            return
        started, bar, done = time.monotonic(), None, 0
        shown, on_terminal = started, sys.stderr.isatty()
        try:
            for item in items:
                done += amount(item) if amount else 1
                now = time.monotonic()
                if bar is not None:
                    bar.update(done)
                elif on_terminal and now - started > SHOWN_AFTER:
                    self._spinner.pause()
                    bar = Bar(unit, total, title=title, status=status, started=started)
                    bar.update(done)
                elif not on_terminal and now - shown > _LINE_EVERY:
                    shown = now
                    known = total() if callable(total) else total
                    said = status() if status else facts(done, known, unit, now - started)
                    self.say(f"{title}: {said}" if title else said)
                yield item
        finally:
            if bar is not None:
                bar.stop()
                self._spinner.resume()

    def working(self, what: str) -> contextlib.AbstractContextManager[None]:
        """Return a context that shows on a terminal, after a second, what is being done in it."""
        if self.quiet or not sys.stderr.isatty():
            return contextlib.nullcontext()
        return self._spinner(what)


class _Notices(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        prefix = "Warning: " if record.levelno >= logging.WARNING else ""
        click.echo(prefix + printable(option_names(record.getMessage())), err=True)
        if record.exc_info:  # one image failed; -v shows where
            click.echo(logging.Formatter().formatException(record.exc_info), err=True)


def _show_warning(message: Warning | str, *_: Any) -> None:
    click.echo(f"Warning: {printable(option_names(str(message)))}", err=True)

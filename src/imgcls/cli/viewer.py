"""`--show`: open a result in the system's own viewer."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

log = logging.getLogger("imgcls")

# How long the program that finds a viewer may take to say that there is none, in seconds.
_PATIENCE = 2.0


def option(what: str) -> Callable[[F], F]:
    """Return the option; `what` it opens."""
    return click.option("--show", is_flag=True, help=f"Open {what} in the system's viewer.")


class Written(Protocol):
    """A record of something that may have been written."""

    @property
    def output(self) -> str | None:
        """The file; None where none was written."""


W = TypeVar("W", bound=Written)


class Result:
    """What a command wrote: one file, or a folder of several."""

    def __init__(self, folder: str | None, shown: bool) -> None:
        """Begin with nothing.

        Args:
            folder: what several files lie in.
            shown: as `--show`.
        """
        self._folder, self._shown, self._last = folder, shown, ""
        self.count = 0

    def note(self, records: Iterable[W]) -> Iterator[W]:
        """Yield the records, and note what was written."""
        for record in records:
            if record.output is not None:
                self.count += 1
                self._last = record.output
            yield record

    def show(self) -> None:
        """Open the file, or the folder of several, if that is wished and anything was written."""
        if self._shown and self.count:
            show(self._last if self.count == 1 or self._folder is None else self._folder)


def show(path: str) -> None:
    """Open a file or a folder as a double click would; warn where that fails.

    The result is written by then, so a machine without a screen is no error.
    """
    target = os.path.abspath(path)
    if sys.platform == "win32":
        try:
            os.startfile(target)
        except OSError as error:
            log.warning("%s: cannot be shown: %s", path, error.strerror)
        return
    import subprocess

    opener = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        process = subprocess.Popen(
            [opener, target],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C here must not close it
        )
        failed = process.wait(_PATIENCE) != 0
    except subprocess.TimeoutExpired:
        return  # it shows it
    except OSError:
        log.warning(
            "%s: cannot be shown: there is no %s here (Debian and Ubuntu: xdg-utils)", path, opener
        )
        return
    if failed:
        log.warning("%s: cannot be shown: %s found no program for it", path, opener)

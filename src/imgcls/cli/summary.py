"""Count what was done and what failed, and turn it into the exit code."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from imgcls.cli.console import Console
from imgcls.cli.wording import rate_text
from imgcls.core.errors import ImgclsError, NoImagesError
from imgcls.core.words import counted


class Outcome(Protocol):
    """What every command's record has."""

    @property
    def path(self) -> str:
        """The input's name."""

    @property
    def error(self) -> str | None:
        """Why it failed; None if it did not."""


R = TypeVar("R", bound=Outcome)

EXIT_SOME_FAILED = 3


class Summary:
    """Counts a command's records as they pass."""

    def __init__(
        self, noun: str, where: str = "", *, done: str = "could be read", fail_fast: bool = False
    ) -> None:
        """Begin to count.

        Args:
            noun: what a record is of, in the singular.
            where: the inputs as the user named them.
            done: what happened to those that did not fail, for "no image could be read".
            fail_fast: whether the first failed record is the last.
        """
        self.noun = noun
        self.where = where or "the inputs"
        self.fail_fast = fail_fast
        self._what_is_done = done
        self.done = self.failed = self.skipped = 0
        self._started = 0.0

    def begin(self) -> None:
        """Start the clock; opening and compiling a model do not count."""
        self._started = time.monotonic()

    def count(self, records: Iterable[R]) -> Iterator[R]:
        """Yield the records.

        Raises:
            ImgclsError: with `fail_fast`, after the first failed one.
        """
        self.begin()
        for record in records:
            self.done += 1
            self.failed += record.error is not None
            yield record
            if self.fail_fast and record.error is not None:
                raise ImgclsError(f"{record.path}: {record.error}; stopped (--fail-fast)")

    def check(self) -> None:
        """Make sure that anything was done.

        Raises:
            NoImagesError: no input could be read.
        """
        if self.done == 0 and self.skipped == 0:
            raise NoImagesError(f"{self.where}: no {self.noun} found")
        if self.failed == self.done + self.skipped:
            raise NoImagesError(f"no {self.noun} {self._what_is_done} ({self.failed} failed)")

    def close(self, console: Console) -> int:
        """Say what was done and return the exit code.

        Raises:
            NoImagesError: no input could be read.
        """
        self.check()
        if self.done + self.skipped > 1:
            seconds = time.monotonic() - self._started
            failed = f", {self.failed} failed" if self.failed else ""
            failed += f", {self.skipped} were there already" if self.skipped else ""
            done = counted(self.done, self.noun)
            # A clock that has not moved says nothing of the speed.
            rate = rate_text(self.done / seconds, self.noun) if seconds > 0 else ""
            rate = f" ({rate})" if rate and self.done else ""
            console.say(f"{done} in {seconds:.1f} s{rate}{failed}")
        return EXIT_SOME_FAILED if self.failed else 0

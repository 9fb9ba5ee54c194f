"""A file of records that grows one by one and survives being killed at any moment.

Beside the file stands a journal, `.NAME.resume`. A record is written before its row, and a
row counts only while the bytes it speaks of are there, so whatever moment a run ends at, what
the next one finds is either whole or done again. OUT itself and its journal stay as they were
until the first record is written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt

from imgcls.core.errors import NoImagesError, OutputError
from imgcls.core.files import atomic_writer, remove_leftovers_once
from imgcls.core.output_file import only_writer
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.journal import (
    ROW,
    Rows,
    are_current,
    count_held,
    hash_text,
    journal_path,
    new_row,
    no_rows,
    read_journal,
)

# The records, from where the first one stands → OUT.
Finish = Callable[[IO[bytes], IO[bytes]], None]

log = logging.getLogger("imgcls")


class RecordFile:
    """Grows OUT.part record by record; it becomes OUT when the run is done.

    Use it as a context manager: leaving it by an exception keeps OUT.part for `resume`; but by a
    NoImagesError only what was there before.

    Attributes:
        skipped: how many inputs had their record before.
    """

    def __init__(
        self,
        path: str,
        *,
        header: str,
        options: str,
        resume: bool,
        moved: bool = False,
        finish: Finish | None = None,
    ) -> None:
        """Open OUT.part.

        Args:
            path: OUT.
            header: what stands before the first record.
            options: all that decides what a record says, besides the input itself.
            resume: go on with OUT.part, or else with OUT, instead of starting anew.
            moved: whether inputs are moved away once their record is there: each record is then
                brought to the disk itself, an input that is gone and has one is done, and
                another that has its name has a record of its own.
            finish: writes OUT from the records where OUT is no file that grows; such an OUT
                cannot be added to, and keeps no journal.

        Raises:
            OutputError: it cannot be written, or another run is writing it.
        """
        self._name = path
        self._out = Path(os.path.realpath(path))
        self._part = self._out.with_name(f"{self._out.name}.part")
        self._journal_path = journal_path(self._out)
        self._header = header.encode()
        self._options = options
        self._moved = moved
        self._make_out = finish
        self._awaited: deque[tuple[int, int]] = deque()
        with contextlib.ExitStack() as stack, _as_output_error(path):
            stack.enter_context(only_writer(self._out, path))
            rows = self._take_over() if resume else no_rows()
            self._know(rows)
            self._rows_before = len(rows)
            self._file = stack.enter_context(FileIO(self._part, "r+" if resume else "w"))
            if self._file.seek(0, os.SEEK_END) == 0:
                _write_whole(self._file, self._header)
            self._open = stack
            # That of an earlier OUT is kept until the first record takes the place of its own.
            kept = resume or self._out.exists()
            self._journal: FileIO | None = None if kept else self._open_journal()
            self._open = stack.pop_all()

    def todo(
        self, sources: Iterable[Source], on_skip: Callable[[str], None] | None = None
    ) -> Iterator[Source]:
        """Yield the sources whose record is not there yet, or is of an older content.

        An input that is named twice has two records.

        Args:
            sources: read lazily.
            on_skip: told the name of each source that is passed over.
        """
        for source in sources:
            path, fact = self._identity(source)
            place = int(np.searchsorted(self._paths, np.uint64(path)))
            if place < len(self._paths) and self._paths[place] == path:
                if self._facts[place] != fact and not self._was_moved(source):
                    self._superseded = not self._moved  # else it is another image of that name
                elif self._left[place]:
                    self._left[place] -= 1
                    self.skipped += not self._moved
                    if on_skip is not None:
                        on_skip(source.name)
                    continue
            self._awaited.append((path, fact))
            yield source

    def _was_moved(self, source: Source) -> bool:
        return self._moved and source.kind == "file" and not os.path.lexists(source.name)

    def append(self, piece: str | bytes) -> None:
        """Write the record of the next source that `todo` yielded.

        Raises:
            OutputError: it cannot be written.
        """
        content = piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece
        row = new_row(*self._awaited.popleft(), content)
        with _as_output_error(self._name):
            _write_whole(self._file, content)
            journal = self._journal = self._journal or self._open_journal()
            _write_whole(journal, row)
            if self._moved:
                os.fsync(self._file.fileno())
                os.fsync(journal.fileno())

    def _open_journal(self) -> FileIO:
        return self._open.enter_context(
            FileIO(self._journal_path, "a" if self._rows_before else "w")
        )

    def _written(self) -> int:
        """Return how many rows this run added: asked of the file, which no signal leaves behind."""
        if self._journal is None:
            return 0
        return self._journal.tell() // ROW.itemsize - self._rows_before

    def __enter__(self) -> RecordFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _as_output_error(self._name), self._open:
            if error is None:
                self._finish()
            elif (done := self._held + self._written()) == 0:
                self._part.unlink(missing_ok=True)
            elif self._held == 0 and isinstance(error, NoImagesError):
                # Failures alone are nothing to go on with.
                self._part.unlink(missing_ok=True)
                self._journal_path.unlink(missing_ok=True)
            else:
                log.warning(
                    "%s.part has the %srecords that are done; "
                    "the same command with `resume` goes on",
                    self._name,
                    f"{done} " if done > 1 else "",
                )

    def _finish(self) -> None:
        journal = self._journal or self._open_journal()  # of no records it must say none
        os.fsync(self._file.fileno())
        for file in (self._file, journal):  # a system may not replace what is open
            file.close()
        if self._superseded:
            self._drop_superseded()
        if self._make_out is None:
            os.replace(self._part, self._out)
            return
        with open(self._part, "rb") as records, atomic_writer(self._out) as out:
            records.seek(len(self._header))
            self._make_out(records, out)
        self._part.unlink()
        self._journal_path.unlink()

    def _know(self, rows: Rows) -> None:
        """Note what the rows say is done: hashes of paths, sorted, and how many of each."""
        current = are_current(rows)
        paths, first, counts = np.unique(
            rows["path"][current], return_index=True, return_counts=True
        )
        self._paths: npt.NDArray[np.uint64] = paths
        self._facts: npt.NDArray[np.uint64] = rows["facts"][current][first]
        self._left: npt.NDArray[np.intp] = counts
        self._held = len(rows) if self._moved else int(current.sum())
        self.skipped = self._held if self._moved else 0  # no source may name them any more
        # A run that replaced some was killed.
        self._superseded = not self._moved and not current.all()

    def _identity(self, source: Source) -> tuple[int, int]:
        """Return 64-bit hashes of a source's path and of what its record depends on."""
        facts: str = source.kind
        if source.kind == "file":
            try:
                status = os.stat(source.name)
                facts = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                facts = "missing"
        return hash_text(source.name), hash_text(f"{facts} {self._options}")

    def _take_over(self) -> Rows:
        """Make OUT.part and the journal ready to go on with; return the rows that hold."""
        remove_leftovers_once(self._out.parent)
        grows = self._make_out is None
        if grows and not self._part.exists() and self._out.exists():
            with open(self._out, "rb") as old, atomic_writer(self._part) as part:
                shutil.copyfileobj(old, part)
        has_journal = self._journal_path.exists()
        for path in (self._part, self._journal_path):
            path.touch()
        rows = read_journal(self._journal_path)
        with open(self._part, "rb") as part:
            if whole := part.read(len(self._header)) == self._header:
                held = rows[: count_held(part, rows)]
            else:
                held = rows[:0]
        only_begun = has_journal and len(rows) == 0  # a run that ended in its first record
        if len(held) == 0 and not only_begun and self._part.stat().st_size > len(self._header):
            log.warning("%s: does not say which inputs it has; all are done again", self._name)
        header = len(self._header) if whole else 0
        os.truncate(self._part, header + int(held["length"].sum()))
        os.truncate(self._journal_path, held.nbytes)
        return held

    def _drop_superseded(self) -> None:
        """Rewrite OUT.part without the records that a later one of the same input replaces."""
        rows = read_journal(self._journal_path)
        current = are_current(rows)
        with open(self._part, "rb") as old, atomic_writer(self._part) as new:
            new.write(old.read(len(self._header)))
            for length, keep in zip(rows["length"].tolist(), current.tolist(), strict=True):
                content = old.read(length)
                if keep:
                    new.write(content)
        with atomic_writer(self._journal_path) as journal:
            journal.write(rows[current].tobytes())


def _write_whole(file: FileIO, content: bytes) -> None:
    """Write to a file's end; where that fails, the file is as long as before."""
    before = file.tell()
    try:
        written = 0
        while written < len(content):
            written += file.write(content[written:])
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(before)
        raise


@contextlib.contextmanager
def _as_output_error(out: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{out}: cannot be written: {reason}") from error

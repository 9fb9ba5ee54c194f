"""The list of what was sorted where, and how to take it back."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from imgcls.core.csv_text import csv_cell
from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.placing import place_move

MANIFEST_HEADER = ("from", "to", "label", "score")


@dataclass(frozen=True, slots=True)
class Placement:
    """One image and where it goes.

    Attributes:
        source: its absolute path.
        target: its absolute path in the sorted folder.
        label: the best class; empty for an image that failed.
        score: of that class; None for an image that failed.
    """

    source: str
    target: str
    label: str
    score: float | None


class Manifest:
    """The list of what was put where, a file of its own for each run, opened at the first line."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._last = 0
        self.path = ""

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, placement: Placement) -> None:
        """Write a line at once."""
        if self._file is None:
            self._file = self._open()
            self._write(MANIFEST_HEADER)
        score = "" if placement.score is None else f"{placement.score:.6g}"
        self._last = self._file.tell()
        self._write((placement.source, placement.target, csv_cell(placement.label), score))

    def drop_last(self) -> None:
        """Take out the last line: its image was not put there."""
        if self._file is not None:
            self._file.truncate(self._last)
            self._file.seek(self._last)

    def _open(self) -> IO[bytes]:
        number = 1
        while True:
            name = "manifest.csv" if number == 1 else f"manifest-{number}.csv"
            self.path = os.path.join(self._folder, name)
            try:
                return open(self.path, "xb", buffering=0)
            except FileExistsError:
                number += 1

    def _write(self, cells: Sequence[str]) -> None:
        assert self._file is not None
        self._file.write(_csv_line(cells))


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode("utf-8", "surrogateescape")


def read_manifest(path: str) -> list[Placement]:
    """Return the lines of a manifest; one that was cut off in writing is left out.

    Raises:
        UsageError: it is none.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path}: the manifest cannot be read: {reason}") from error
    whole = content[: content.rfind(b"\n") + 1].decode("utf-8", "surrogateescape")
    try:
        rows = list(csv.reader(io.StringIO(whole, newline="")))
    except csv.Error:
        rows = []
    if not rows or tuple(rows[0]) != MANIFEST_HEADER:
        raise UsageError(f"{path}: is no manifest; --sort-into writes one into its folder")
    whole_rows = (row for row in rows[1:] if len(row) == len(MANIFEST_HEADER))
    return [Placement(source, target, label, None) for source, target, label, _ in whole_rows]


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one line of a manifest.

    Attributes:
        path: where the image was sorted to.
        source: where it came from.
        error: why it was not taken back; None if it was.
    """

    path: str
    source: str
    error: str | None


def undo(manifest: str) -> Iterator[Undone]:
    """Take moves back, the last first, and remove links; yield what was done.

    Nothing is overwritten. Copies stay: whoever has changed one would lose the change. A line
    whose image is no longer where it was sorted to is passed over, so an undo that was
    interrupted can be run again.

    Raises:
        UsageError: it is no manifest, or lists files that are not in its folder.
    """
    folder = os.path.join(os.path.realpath(os.path.dirname(manifest) or os.curdir), "")
    rows = read_manifest(manifest)
    for row in rows:
        inside = os.path.realpath(os.path.dirname(row.target)) + os.sep
        if not inside.startswith(folder):
            raise UsageError(
                f"{manifest}: lists {row.target}, which is not in its folder; put it back into "
                "the folder that it is the manifest of"
            )
    for row in reversed(rows):
        if os.path.lexists(row.target):
            yield Undone(row.target, row.source, _take_back(row))
            _remove_if_empty(os.path.dirname(row.target))


def _take_back(row: Placement) -> str | None:
    try:
        if not os.path.lexists(row.source):
            if os.path.islink(row.target):
                return "the file that it links to is gone"
            os.makedirs(os.path.dirname(row.source), exist_ok=True)
            place_move(row.target, row.source)
        elif _is_link_to(row.target, row.source):
            os.unlink(row.target)
        else:
            return f"{row.source} is there"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def _is_link_to(target: str, source: str) -> bool:
    """Whether removing `target` loses nothing: another name of `source`, and not its only one."""
    same_name = os.path.realpath(os.path.dirname(target)) == os.path.realpath(
        os.path.dirname(source)
    ) and os.path.basename(target) == os.path.basename(source)
    if same_name or not os.path.exists(source) or not os.path.samefile(target, source):
        return False
    return os.path.islink(target) or os.stat(target).st_nlink > 1


def _remove_if_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        return  # others' files are in it

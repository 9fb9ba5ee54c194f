"""The list of what was sorted where: written before each file is placed, read by `undo`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import IO

from imgcls.core.csv_text import CSVError, Field, csv_line, read_csv
from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.placing import SORT_MODES, SortMode

MANIFEST_HEADER = ("from", "to", "label", "score", "mode")
# Before a manifest had a mode, only moves could be taken back.
_EARLIER_HEADER = MANIFEST_HEADER[:-1]


@dataclass(frozen=True, slots=True)
class Placement:
    """One image and where it goes, as a line of the manifest has it.

    Attributes:
        source: its absolute path.
        target: its absolute path in the sorted folder.
        label: the best class; empty for an image that failed.
        score: of that class; None for an image that failed.
        mode: how it gets there.
    """

    source: str
    target: str
    label: str
    score: float | None
    mode: SortMode


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
            if os.path.getsize(self.path) == 0:  # not even its header could be written
                os.unlink(self.path)

    def add(self, placement: Placement) -> None:
        """Write a line at once; before a move also to the disk itself.

        Raises:
            OSError: it cannot be written; the manifest is then as it was.
        """
        if self._file is None:
            self._file = self._open()
            self._write(MANIFEST_HEADER)
        self._last = self._file.tell()
        self._write(astuple(placement))
        if placement.mode == "move":
            os.fsync(self._file.fileno())

    def drop_last(self) -> None:
        """Take out the last line: its image was not put there."""
        if self._file is not None:
            self._file.truncate(self._last)
            self._file.seek(self._last)

    def _open(self) -> IO[bytes]:
        number = 1
        while True:
            self.path = _manifest_path(self._folder, number)
            try:
                return open(self.path, "xb", buffering=0)
            except FileExistsError:
                number += 1

    def _write(self, fields: Sequence[Field]) -> None:
        assert self._file is not None
        line = csv_line(fields).encode("utf-8", "surrogateescape")
        start = self._file.tell()
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(start)
            raise


def _manifest_path(folder: str, number: int) -> str:
    return os.path.join(folder, f"manifest-{number}.csv" if number > 1 else "manifest.csv")


def last_placement(folder: str) -> Placement | None:
    """Return the last line of a folder's latest manifest: all before it were surely placed."""
    number = 1
    while os.path.lexists(_manifest_path(folder, number + 1)):
        number += 1
    path = Path(_manifest_path(folder, number))
    if not path.is_file() or not _whole_lines(path.read_bytes()):
        return None
    placements = read_manifest(str(path))
    return placements[-1] if placements else None


def read_manifest(path: str) -> list[Placement]:
    """Return the lines of a manifest; one that was cut off in writing is left out.

    Raises:
        UsageError: it is none, or a line of it is malformed.
    """
    try:
        content = Path(path).read_bytes()
    except IsADirectoryError as error:
        raise UsageError(f"{path}: is a folder; name the manifest.csv in it") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path}: the manifest cannot be read: {reason}") from error
    rows = read_csv(_whole_lines(content).decode("utf-8", "surrogateescape"))
    try:
        header, *lines = list(rows) or [[]]
    except CSVError as error:
        raise UsageError(f"{path}: {error}; nothing was undone, correct the line first") from error
    if tuple(header) not in (MANIFEST_HEADER, _EARLIER_HEADER):
        raise UsageError(f"{path}: is no manifest; `sort_into` writes one into its folder")
    return [_placement(path, line) for line in lines]


def _whole_lines(content: bytes) -> bytes:
    """Return what comes before a line that was cut off; a name may hold line ends in quotes."""
    end = len(content)
    if not content.endswith(b"\n"):
        end = content.rfind(b"\n") + 1
        while content.count(b'"', 0, end) % 2:
            end = content.rfind(b"\n", 0, end - 1) + 1
    return content[:end]


def _placement(path: str, line: list[str]) -> Placement:
    source, target, label, _, mode = line if len(line) == 5 else [*line, "move"]
    for known in SORT_MODES:
        if mode == known:
            return Placement(source, target, label, None, known)
    raise UsageError(f"{path}: {target}: {mode!r} is no mode of sorting; correct the line first")

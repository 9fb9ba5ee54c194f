"""Which records are in a growing file, and of which inputs: 24 bytes for each.

A row says which input a record is of (hashes of its path, and of all that the record depends
on), how long the record is, and its CRC.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

ROW = np.dtype([("path", "<u8"), ("facts", "<u8"), ("length", "<u4"), ("crc", "<u4")])
Rows = npt.NDArray[np.void]


def journal_path(out: Path) -> Path:
    """Return where the journal of an output stands."""
    return out.with_name(f".{out.name}.resume")


def has_journal(path: str) -> bool:
    """Whether an output of this name says which inputs it has, so that it can be gone on with."""
    journal = journal_path(Path(os.path.realpath(path)))
    return journal.is_file() and journal.stat().st_size > 0


def read_journal(path: Path) -> Rows:
    """Return the rows of a journal; one that was cut off in writing is left out."""
    content = path.read_bytes()
    return np.frombuffer(content, ROW, count=len(content) // ROW.itemsize)


def new_row(path: int, facts: int, record: bytes) -> bytes:
    """Return the row of a record."""
    return np.array((path, facts, len(record), zlib.crc32(record)), ROW).tobytes()


def count_held(records: BinaryIO, rows: Rows) -> int:
    """Return how many leading rows have their record in the file, from where it stands on."""
    return sum(1 for _ in _held(records, rows))


def _held(records: BinaryIO, rows: Rows) -> Iterator[None]:
    for length, crc in zip(rows["length"].tolist(), rows["crc"].tolist(), strict=True):
        content = records.read(length)
        if len(content) != length or zlib.crc32(content) != crc:
            return
        yield


def are_current(rows: Rows) -> npt.NDArray[np.bool_]:
    """Return which rows are of the same content as the latest one of their path."""
    backwards = rows[::-1]
    paths, last = np.unique(backwards["path"], return_index=True)
    latest = backwards["facts"][last]
    current: npt.NDArray[np.bool_] = rows["facts"] == latest[np.searchsorted(paths, rows["path"])]
    return current


def no_rows() -> Rows:
    """Return the rows of an output that has no record."""
    return np.zeros(0, ROW)


def hash_text(text: str) -> int:
    """Return 64 bits of a hash of a text."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "little")

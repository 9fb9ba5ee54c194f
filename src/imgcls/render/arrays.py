"""Rows of features → `.npy`, `.npz` and Parquet, from a file of packed rows, a row at a time.

A file of arrays says at its beginning how many rows it has, so it cannot grow. Rows are packed
as they come: a line of JSON and the features as they are in memory; the file is made of those
when all are there.
"""

from __future__ import annotations

import json
import os
import struct
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.safe import readable, valid_unicode

if TYPE_CHECKING:
    from imgcls.core.tasks.features.features import FeatureRow

# In every file: what tells an earlier output from any other of its kind.
MARK = b"imgcls features"

_ALIGNMENT = 64  # of what follows the header of a .npy file
_ROWS_PER_GROUP = 1000
_A_TIME = (1980, 1, 1, 0, 0, 0)  # the same rows are the same bytes

# path, label and error
Texts = tuple[str, str, str]
# the same and, where there are any, features
Packed = tuple[str, str, str, Float32Array | None]


def packed_header(count: int) -> str:
    """Return the first line of a growing file, so that no rows of another length are read."""
    return json.dumps({"features": count}) + "\n"


def packed_names(file: IO[bytes]) -> Iterator[str]:
    """Yield the names of the inputs that a growing file has."""
    count = json.loads(file.readline())["features"]
    for path, *_ in unpack_texts(file, count):
        yield readable(path)


def npz_names(file: IO[bytes]) -> Iterator[str]:
    """Yield the names of the inputs that an earlier `.npz` has."""
    with np.load(file) as arrays:
        yield from map(readable, arrays["paths"].tolist())


def pack(row: FeatureRow) -> bytes:
    """Return a row as a record of the growing file."""
    line = json.dumps([row.path, row.label, row.error or ""]).encode() + b"\n"
    return line if row.features is None else line + row.features.astype("<f4").tobytes()


def unpack(records: IO[bytes], count: int) -> Iterator[Packed]:
    """Yield the rows of a file of packed rows, from where it stands on.

    Args:
        records: the file.
        count: how many features a row has.
    """
    while line := records.readline():
        path, label, error = json.loads(line)
        row = None if error else np.frombuffer(records.read(4 * count), "<f4")
        yield path, label, error, row


def unpack_texts(records: IO[bytes], count: int) -> Iterator[Texts]:
    """Yield what `unpack` does, but for the features, which are passed over."""
    while line := records.readline():
        path, label, error = json.loads(line)
        if not error:
            records.seek(4 * count, os.SEEK_CUR)
        yield path, label, error


def write_npy(records: IO[bytes], out: IO[bytes], /, count: int) -> None:
    """Write one array, float32 (n, d): a row an input, NaN for a failed one."""
    start = records.tell()
    rows = sum(1 for _ in unpack_texts(records, count))
    records.seek(start)
    _write_features(records, out, rows, count)


def write_npz(records: IO[bytes], out: IO[bytes], /, count: int) -> None:
    """Write `paths`, `features`, `errors` and, where there are any, `labels`: a row an input."""
    start = records.tell()
    rows, widths = 0, [1, 1, 1]  # NumPy has texts of one length
    labelled = False
    for texts in unpack_texts(records, count):
        rows += 1
        widths = [max(width, len(text)) for width, text in zip(widths, texts, strict=True)]
        labelled = labelled or bool(texts[1])
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = MARK
        for column, name in enumerate(("paths", "labels", "errors")):
            if name != "labels" or labelled:
                records.seek(start)
                with _member(archive, name) as file:
                    file.write(_npy_header(f"<U{widths[column]}", (rows,)))
                    for texts in unpack_texts(records, count):
                        file.write(_utf32(texts[column], widths[column]))
        records.seek(start)
        with _member(archive, "features") as file:
            _write_features(records, file, rows, count)


def write_parquet(records: IO[bytes], out: IO[bytes], /, count: int) -> None:
    """Write a table of path, label, error and a list of features; what is not there is null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [(name, pa.string()) for name in ("path", "label", "error")]
        + [("features", pa.list_(pa.float32()))],
        metadata={b"written_by": MARK},
    )
    rows = unpack(records, count)
    with pq.ParquetWriter(out, schema) as writer:
        while group := list(islice(rows, _ROWS_PER_GROUP)):
            texts = [
                pa.array([valid_unicode(str(row[column])) or None for row in group], pa.string())
                for column in range(3)
            ]
            lists = pa.array([row[3] for row in group], pa.list_(pa.float32()))
            writer.write_table(pa.table([*texts, lists], schema=schema))


def _write_features(records: IO[bytes], out: IO[bytes], rows: int, count: int) -> None:
    out.write(_npy_header("<f4", (rows, count)))
    missing = np.full(count, np.nan, "<f4")
    for *_, row in unpack(records, count):
        out.write((missing if row is None else row).tobytes())


def _npy_header(kind: str, shape: tuple[int, ...]) -> bytes:
    """Return the header of a `.npy` file, with our mark as a comment in its dictionary."""
    facts = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    text = f"{facts} # ".encode() + MARK
    start = b"\x93NUMPY\x01\x00"
    padding = -(len(start) + 2 + len(text) + 1) % _ALIGNMENT
    return start + struct.pack("<H", len(text) + padding + 1) + text + b" " * padding + b"\n"


def _utf32(text: str, width: int) -> bytes:
    """Return a text as NumPy has it, also one that is not valid Unicode."""
    return text.encode("utf-32-le", "surrogatepass").ljust(4 * width, b"\0")


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    return archive.open(zipfile.ZipInfo(f"{name}.npy", _A_TIME), "w", force_zip64=True)

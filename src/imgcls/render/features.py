"""Rows of `features` → `.npz`, `.npy`, Parquet, CSV or JSON Lines: a row per format."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from imgcls.core.csv_text import csv_line
from imgcls.core.errors import UsageError
from imgcls.render import earlier, parquet
from imgcls.render.arrays import (
    MARK,
    npz_names,
    pack,
    packed_header,
    packed_names,
    write_npy,
    write_npz,
    write_parquet,
)

if TYPE_CHECKING:
    from imgcls.core.arrays import Float32Array
    from imgcls.core.tasks.features.features import FeatureRow

_CSV_START = ("path", "label", "error")


def jsonl(row: FeatureRow, count: int) -> bytes:
    """Return a row as a JSON object on a line."""
    facts = {"path": row.path, "status": "error" if row.error else "ok", "model": row.model}
    start = json.dumps(facts | {"label": row.label or None, "error": row.error})
    numbers = "null" if row.features is None else f"[{_numbers(row.features, ', ')}]"
    return f'{start[:-1]}, "features": {numbers}}}\n'.encode()


def csv(row: FeatureRow, count: int) -> bytes:
    """Return a row as one of CSV; that of a failed input has empty fields for its features."""
    start = csv_line((row.path, row.label, row.error)).removesuffix("\n")
    numbers = "," * (count - 1) if row.features is None else _numbers(row.features, ",")
    return f"{start},{numbers}\n".encode("utf-8", "surrogateescape")


def csv_header(count: int) -> str:
    """Return the first row of CSV: path, label, error, f0, f1 and so on."""
    return csv_line((*_CSV_START, *(f"f{column}" for column in range(count))))


def parquet_part(rows: Iterable[FeatureRow], count: int) -> Iterator[bytes]:
    """Yield a Parquet file of rows, each with so many features, of which there are not many."""
    packed, out = io.BytesIO(b"".join(map(pack, rows))), io.BytesIO()
    write_parquet(packed, out, count)
    yield out.getvalue()


def _numbers(features: Float32Array, separator: str) -> str:
    """Return numbers with nine digits, from which the same float32 are read again."""
    return separator.join(["%.9g"] * len(features)) % tuple(features.tolist())


class Finish(Protocol):
    """What makes an output of a growing file."""

    def __call__(self, records: IO[bytes], out: IO[bytes], /, count: int) -> None:
        """Write the output.

        Args:
            records: the growing file, from where its first record stands.
            out: the output.
            count: how many features a row has.
        """


class Format(NamedTuple):
    """One format of a file of features.

    Attributes:
        begins: whether an existing file's first bytes (and, of a long one, its last) are this
            command's own, so that it may be overwritten.
        record: a row, and how many features each has → a record of the growing file.
        header: how many features a row has → what stands before all records.
        finish: makes the output of the growing file; None where that becomes the output.
        check: raises an ImgclsError where the format lacks what it needs.
        names: of the inputs that an earlier output has; none where it does not say.
        part_names: the same of the growing file.
    """

    begins: Callable[[bytes], bool]
    record: Callable[[FeatureRow, int], bytes]
    header: Callable[[int], str] = lambda count: ""
    finish: Finish | None = None
    check: Callable[[], None] = lambda: None
    names: Callable[[IO[bytes]], Iterator[str]] = lambda file: iter(())
    part_names: Callable[[IO[bytes]], Iterator[str]] = packed_names


def _packed(row: FeatureRow, count: int) -> bytes:
    return pack(row)


# Ending → format.
FORMATS: Mapping[str, Format] = {
    ".npz": Format(
        lambda ends: ends.startswith(b"PK") and ends.endswith(MARK),
        _packed,
        packed_header,
        write_npz,
        names=npz_names,
    ),
    ".npy": Format(
        lambda ends: ends.startswith(b"\x93NUMPY") and MARK in ends[:128],
        _packed,
        packed_header,
        write_npy,
    ),
    ".parquet": Format(
        lambda ends: ends.startswith(b"PAR1") and MARK in ends,
        _packed,
        packed_header,
        write_parquet,
        parquet.check,
        names=parquet.names,
    ),
    ".csv": Format(
        lambda ends: ends.startswith(",".join((*_CSV_START, "f0")).encode()),
        csv,
        csv_header,
        names=earlier.csv_names,
        part_names=earlier.csv_names,
    ),
    ".jsonl": Format(
        lambda ends: ends.startswith(b'{"path": ') and b', "features": ' in ends,
        jsonl,
        names=earlier.jsonl_names,
        part_names=earlier.jsonl_names,
    ),
}


def format_of(output: str) -> Format:
    """Return the format that a file's ending stands for.

    Raises:
        UsageError: it stands for none.
    """
    ending = os.path.splitext(output)[1].lower()
    if ending not in FORMATS:
        raise UsageError(f"{output}: is no known format; end it in one of {', '.join(FORMATS)}")
    return FORMATS[ending]

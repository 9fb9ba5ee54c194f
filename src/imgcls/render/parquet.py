"""Records of `predict` → Parquet, in row groups as they come."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from imgcls.core.errors import OutputError
from imgcls.core.safe import readable, valid_unicode
from imgcls.render.style import PLAIN, Style

if TYPE_CHECKING:
    from imgcls.core.tasks.classify.classify import Record

COLUMNS = ("path", "status", "rank", "class_id", "label", "score", "error")

ROWS_PER_GROUP = 10_000

# In the file's own metadata: what tells an earlier output from any other Parquet file.
_MARK = b"imgcls predict"


def check() -> None:
    """Make sure that pyarrow is there, without importing it.

    Raises:
        OutputError: it is not.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise OutputError("parquet: pyarrow is not installed; pip install 'imgcls[parquet]'")


def is_own(ends: bytes) -> bool:
    """Whether the first and last bytes of a file are those of an earlier output."""
    return ends.startswith(b"PAR1") and _MARK in ends


def names(file: IO[bytes]) -> Iterator[str]:
    """Yield the names of the inputs that an earlier output has."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as table:
        for batch in table.iter_batches(columns=["path"]):
            yield from map(readable, batch.column(0).to_pylist())


def parquet(records: Iterable[Record], top: int, style: Style = PLAIN) -> Iterator[bytes]:
    r"""Yield a Parquet file, a row a prediction and one for a failed input.

    Columns are those of CSV; `rank` is int32, `score` float32, and both, `class_id`, `label`
    and `error` are null where they do not apply. Paths that are not valid UTF-8 have their odd
    bytes written out, as `\udcff`.

    Raises:
        OutputError: pyarrow is not installed.
    """
    check()
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = (pa.string(), pa.string(), pa.int32(), pa.string(), pa.string(), pa.float32())
    schema = pa.schema(
        list(zip(COLUMNS, (*kinds, pa.string()), strict=True)),
        metadata={b"written_by": _MARK},
    )
    written = io.BytesIO()
    with pq.ParquetWriter(written, schema) as writer:
        for rows in _groups(records):
            columns = [list(column) for column in zip(*rows, strict=True)]
            writer.write_table(pa.table(columns, schema=schema))
            yield _taken(written)
    # The writer's end wrote the footer.
    yield _taken(written)


def _taken(written: io.BytesIO) -> bytes:
    content = written.getvalue()
    written.seek(0)
    written.truncate()
    return content


def _groups(records: Iterable[Record]) -> Iterator[list[tuple[Any, ...]]]:
    rows: list[tuple[Any, ...]] = []
    for record in records:
        rows += _rows(record)
        if len(rows) >= ROWS_PER_GROUP:
            yield rows
            rows = []
    if rows:
        yield rows


def _rows(record: Record) -> list[tuple[Any, ...]]:
    path = valid_unicode(record.path)
    if not record.predictions:
        return [(path, record.status, None, None, None, None, valid_unicode(record.error or ""))]
    return [
        (path, record.status, one.rank, one.class_id, one.label, one.score, None)
        for one in record.predictions
    ]

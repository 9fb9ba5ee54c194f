"""Lists of paths: one a line or between NULs, in UTF-8 or UTF-16, or a column of Parquet."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterable, Iterator
from typing import IO

from imgcls.core.errors import UsageError, one_line
from imgcls.core.pixels.formats import is_image_start
from imgcls.core.stores import StoreError, is_store

_BLOCK = 2**16  # bytes
_PARQUET = b"PAR1"
_LONGEST = 2**20  # bytes of one path or URL; what is longer is no list


def read_names(list_file: str, *, null: bool = False) -> Iterator[str]:
    """Yield the names in a list, as they are written, for a list that is still growing too.

    Args:
        list_file: the list's path; "-" is stdin.
        null: whether NUL ends a name, as `find -print0` writes; else the end of a line.

    Raises:
        UsageError: the list cannot be read, or is no list.
    """
    if list_file == "-":
        yield from _names(sys.stdin.buffer, "stdin", null)
        return
    with _open(list_file) as file:
        is_table = file.read(len(_PARQUET)) == _PARQUET if file.seekable() else False
        if file.seekable():
            file.seek(0)
        yield from _table_names(file, list_file) if is_table else _names(file, list_file, null)


def _open(list_file: str) -> IO[bytes]:
    try:
        if is_store(list_file):
            from imgcls.core.stores import check_stores, open_seekable

            check_stores(list_file)
            return open_seekable(list_file)
        return open(list_file, "rb")
    except (OSError, StoreError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{list_file}: the list cannot be read: {reason}") from error


def _table_names(file: IO[bytes], list_name: str) -> Iterator[str]:
    """Yield the names in a Parquet file: its column `path`, or the only one of texts."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError(
            f"{list_name}: a list in Parquet needs pyarrow; pip install 'imgcls[parquet]'"
        ) from None
    try:
        table = pq.ParquetFile(file)
        schema = table.schema_arrow
        texts = [
            field.name
            for field in schema
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        column = "path" if "path" in texts else texts[0] if len(texts) == 1 else None
        if column is None:
            raise UsageError(f"{list_name}: has no column called path")
        for batch in table.iter_batches(columns=[column]):
            yield from filter(None, batch.column(0).to_pylist())
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{list_name}: the list is damaged ({one_line(str(error))})") from error


def _names(file: IO[bytes], list_name: str, null: bool) -> Iterator[str]:
    # read1 returns what a pipe has now, so that a slow producer's names are used as they come.
    read = getattr(file, "read1", file.read)
    start = b""
    while len(start) < 12 and (block := read(_BLOCK)):  # enough to tell an image
        start += block
        if (b"\0" if null else b"\n") in start:
            break
    if is_image_start(start):
        raise UsageError(
            f"{list_name}: this is an image and no list of paths; "
            + ("use - as the input" if list_name == "stdin" else "name it as an input")
        )
    try:
        for name in _split(_as_utf_8(start, iter(lambda: read(_BLOCK), b""), null), null):
            if name:
                yield os.fsdecode(name)
    except UnicodeDecodeError as error:
        raise UsageError(f"{list_name}: the list is not valid {error.encoding.upper()}") from error
    except OverflowError:
        raise UsageError(
            f"{list_name}: holds a line of over 1 MB, so it is no list of paths"
        ) from None


def _as_utf_8(start: bytes, further: Iterable[bytes], null: bool) -> Iterator[bytes]:
    """Yield a list's blocks in UTF-8 without a byte-order mark, or as they are."""
    encoding = _encoding(start, null)
    if not encoding:
        yield start.removeprefix(codecs.BOM_UTF8)
        yield from further
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    yield decoder.decode(start).removeprefix("\ufeff").encode()
    for block in further:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


def _encoding(start: bytes, null: bool) -> str:
    if start.startswith(codecs.BOM_UTF16_LE) or _every_second_is_nul(start[1:], null):
        return "utf-16-le"
    if start.startswith(codecs.BOM_UTF16_BE) or _every_second_is_nul(start, null):
        return "utf-16-be"
    return ""


def _every_second_is_nul(start: bytes, null: bool) -> bool:
    """Whether text without a byte-order mark can only be UTF-16."""
    return not null and len(start) > 1 and not any(start[:32:2])


def _split(blocks: Iterable[bytes], null: bool) -> Iterator[bytes]:
    """Yield what ends with a NUL, or with a new line and maybe a carriage return."""
    end = b"\0" if null else b"\n"
    rest = b""
    for block in blocks:
        *names, rest = (rest + block).split(end)
        yield from names if null else (name.rstrip(b"\r") for name in names)
        if len(rest) > _LONGEST:
            raise OverflowError
    yield rest if null else rest.rstrip(b"\r")

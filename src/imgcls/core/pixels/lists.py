"""Lists of paths: one a line or between NULs, in UTF-8, UTF-16 or whatever names are made of."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from imgcls.core.errors import UsageError
from imgcls.core.pixels.formats import is_image_start

_BLOCK = 2**16  # bytes
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
    try:
        file = open(list_file, "rb")  # noqa: SIM115 - closed below, opened here for its error
    except OSError as error:
        raise UsageError(f"{list_file}: the list cannot be read: {error.strerror}") from error
    with file:
        yield from _names(file, list_file, null)


def _names(file: BinaryIO, list_name: str, null: bool) -> Iterator[str]:
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

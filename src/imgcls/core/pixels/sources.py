"""INPUT... as the user wrote it → a lazy stream of sources, each one image's bytes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator

from imgcls.core.pixels.formats import IMAGE_ENDINGS
from imgcls.core.pixels.globs import has_magic, match
from imgcls.core.pixels.lists import read_names
from imgcls.core.pixels.source import Source
from imgcls.core.pixels.walking import sorted_entries, walk
from imgcls.core.stores import is_store

# What other rooms know of this one.
__all__ = [
    "IMAGE_ENDINGS",
    "Source",
    "as_sources",
    "expand",
    "expand_path",
    "raising",
    "read_list",
    "sorted_entries",
    "walk",
]


def as_sources(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source],
) -> Iterator[Source]:
    """Yield the sources that paths, globs and URLs name, and sources as they are."""
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    for item in inputs:
        if isinstance(item, Source):
            yield item
        else:
            yield from expand([os.fspath(item)])


def expand(inputs: Iterable[str]) -> Iterator[Source]:
    """Yield the sources that the inputs name, lazily and in order.

    Args:
        inputs: files, folders (recursive, sorted by name, hidden ones skipped), globs, "-" for
            one image on stdin, http(s) and file URLs, s3:// and gs:// names, prefixes and globs.
    """
    for text in map(_local, inputs):
        if text == "-":
            yield Source("-", "stdin")
        elif is_store(text):
            yield from _expand_store(text)
        elif has_magic(text) and not _is_url(text) and not os.path.lexists(text):
            yield from _expand_glob(text)
        else:
            yield from expand_path(text)


def expand_path(path: str) -> Iterator[Source]:
    """Yield the sources of a literal path or URL: a file's own, or those in a folder."""
    if _is_url(path):
        yield Source(path, "url")
    elif is_store(path):
        yield from _expand_store(path, listed=True)
    elif os.path.isdir(path):
        yield from walk(path)
    else:
        yield Source(path)


def read_list(list_file: str, *, null: bool = False) -> Iterator[Source]:
    """Yield the sources that a list names; its names are literal, relative to the working folder.

    Args:
        list_file: the list's path, one name a line; "-" reads the list from stdin.
        null: whether NUL ends a name, as `find -print0` writes.

    Raises:
        UsageError: the list cannot be read, or is no list.
    """
    for name in read_names(list_file, null=null):
        yield from expand_path(_local(name))


def counted_ahead(sources: Iterator[Source], most: int) -> tuple[int, Iterator[Source]]:
    """Return how many sources there are, up to `most`, and all of them."""
    first: list[Source] = []
    rest = sources
    try:
        first.extend(itertools.islice(sources, most))
    except Exception as error:  # is raised again at its place, after those before it
        rest = raising(error)
    return len(first), itertools.chain(first, rest)


def raising(error: Exception) -> Iterator[Source]:
    """Return sources of which the first raises an error that was met when they were read ahead."""
    raise error
    yield


def _expand_glob(pattern: str) -> Iterator[Source]:
    found = False
    for path in match(pattern):
        for source in expand_path(path):
            found = True
            yield source
    if not found:
        yield Source(pattern, "missing", "no file matches")


def _expand_store(uri: str, *, listed: bool = False) -> Iterator[Source]:
    from imgcls.core.pixels.store_inputs import expand_store  # few need it

    return expand_store(uri, listed=listed)


def _local(text: str) -> str:
    """Return the path that a `file://` URI names; another text as it is."""
    if not text.startswith("file://"):
        return text
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return url2pathname(urlsplit(text).path)


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))

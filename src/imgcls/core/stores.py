"""Object stores, `s3://` and `gs://`, through the file systems of pyarrow; errors as one line.

Credentials, region and endpoint are those that Amazon's and Google's own tools use: environment,
configuration files, the role of the machine.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from imgcls.core.errors import UsageError, one_line

SCHEMES = ("s3://", "gs://")

# "When … in bucket 'b': AWS Error ACCESS_DENIED during HeadObject operation: Forbidden (Request…"
_AWS = re.compile(r"AWS Error (\w+) during \w+ operation: (.*?)\s*(\(Request ID.*)?$", re.DOTALL)
_GENERIC = "no response body"


class StoreError(Exception):
    """What a store refused or failed to do; its text is the reason, one line.

    Attributes:
        missing: whether there is no such thing.
    """

    def __init__(self, reason: str, *, missing: bool = False) -> None:
        super().__init__(one_line(reason))
        self.missing = missing


class Entry(NamedTuple):
    """Something in a store.

    Attributes:
        uri: its whole name.
        is_folder: whether names go on below it.
        size: in bytes; 0 of a folder.
    """

    uri: str
    is_folder: bool
    size: int


def is_store(text: str) -> bool:
    """Whether a name is that of something in an object store."""
    return text.startswith(SCHEMES)


def check_stores(text: str) -> None:
    """Make sure that the store of a name can be reached at all.

    Raises:
        UsageError: pyarrow is not installed, or the name has no bucket.
    """
    if not importlib.util.find_spec("pyarrow"):
        raise UsageError(f"{text}: stores need pyarrow; pip install 'imgcls[cluster]'")
    if not _path(text).partition("/")[0]:
        raise UsageError(f"{text}: has no bucket; write {text[:5]}BUCKET/NAME")


def read(uri: str, limit: int | None = None) -> bytes:
    """Return an object's content, at most `limit` bytes of it.

    Raises:
        StoreError: it cannot be read.
    """
    with _failures(), _system(uri).open_input_stream(_path(uri)) as stream:
        content: bytes = stream.read(limit) if limit else stream.read()
    return content


def open_seekable(uri: str) -> IO[bytes]:
    """Open an object for reading here and there.

    Raises:
        StoreError: it cannot be opened.
    """
    with _failures():
        file: IO[bytes] = _system(uri).open_input_file(_path(uri))
    return file


def write(uri: str, content: bytes) -> None:
    """Write an object; it is there whole, or as it was before.

    Raises:
        StoreError: it cannot be written.
    """
    with _failures(), _system(uri).open_output_stream(_path(uri)) as stream:
        stream.write(content)


def remove(uri: str) -> None:
    """Remove an object, if it is there.

    Raises:
        StoreError: it cannot be removed.
    """
    try:
        with _failures():
            _system(uri).delete_file(_path(uri))
    except StoreError as error:
        if not error.missing:
            raise


def find(uri: str) -> Entry | None:
    """Return what has a name; None if nothing does.

    Raises:
        StoreError: the store does not say.
    """
    from pyarrow.fs import FileType

    with _failures():
        info = _system(uri).get_file_info(_path(uri).rstrip("/"))
    return None if info.type == FileType.NotFound else _entry(uri, info)


def entries(uri: str) -> list[Entry]:
    """Return what is in a folder, sorted by name; nothing if there is no such folder.

    Raises:
        StoreError: it cannot be listed.
    """
    from pyarrow.fs import FileSelector

    with _failures():
        path = _path(uri).rstrip("/")
        selector = FileSelector(path, allow_not_found="/" in path)  # a bucket must be there
        found = _system(uri).get_file_info(selector)
    return sorted((_entry(uri, info) for info in found), key=lambda entry: entry.uri)


def _entry(uri: str, info: Any) -> Entry:
    return Entry(f"{uri[:5]}{info.path}", info.size is None, info.size or 0)


def _path(uri: str) -> str:
    return uri[len("s3://") :]


def _system(uri: str) -> Any:
    return _bucket_system(uri[:5], _path(uri).partition("/")[0])


@functools.cache
def _bucket_system(scheme: str, bucket: str) -> Any:
    from pyarrow.fs import FileSystem

    with _failures():
        return FileSystem.from_uri(f"{scheme}{bucket}")[0]


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turn what pyarrow raises into a StoreError."""
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError("no such object", missing=True) from error
    except (OSError, ValueError, NotImplementedError) as error:
        raise StoreError(_reason(str(error))) from error


def _reason(text: str) -> str:
    found = _AWS.search(text)
    if not found:
        return text
    kind, detail = found[1].lower().replace("_", " "), one_line(found[2]).rstrip(".")
    return kind if not detail or detail.lower() == _GENERIC else f"{kind}: {detail}"

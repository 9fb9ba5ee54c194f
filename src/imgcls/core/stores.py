"""Object stores, `s3://` and `gs://`, through the file systems of pyarrow; errors as one line.

Credentials, region and endpoint are those that Amazon's and Google's own tools use: environment,
configuration files, the role of the machine.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import IO, Any, NamedTuple

from imgcls.core.errors import UsageError, one_line

SCHEMES = ("s3://", "gs://")

# "When … in bucket 'b': AWS Error ACCESS_DENIED during HeadObject operation: Forbidden (Request…"
_AWS = r"(?s)AWS Error (\w+) during \w+ operation: (.*?)\s*(\(Request ID.*)?$"
# "google::cloud::Status(PERMISSION_DENIED: Permanent error, with a last message of … error_info={…"
_GOOGLE = (
    r"(?s)google::cloud::Status\((\w+): (?:[^:]*, with a last message of )?(.*?)"
    r"( error_info=.*|\)(\. Detail: .*)?)?$"
)
_GENERIC = "no response body"
# How long a request to Google is tried; its library does so for a quarter of an hour.
_GOOGLE_SECONDS = 30


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
    with _failures("bucket"), _system(uri).open_output_stream(_path(uri)) as stream:
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
    folder = uri.rstrip("/")
    if _is_google(folder):
        return _in_folder(folder, _listed(folder, recursive=True))
    return sorted(_listed(folder))


def walk(uri: str, shown: Callable[[str], bool]) -> Iterator[Entry]:
    """Yield the objects in a folder and in those in it, folder by folder, sorted by name.

    Args:
        uri: the folder.
        shown: whether an object or a folder is wanted, by its name without what is above it.

    Raises:
        StoreError: it cannot be listed.
    """
    folder = uri.rstrip("/")
    if _is_google(folder):
        below = [one for one in _listed(folder, recursive=True) if not one.is_folder]
        # What is in a folder comes where its name does: no character is before a slash.
        for entry in sorted(below, key=lambda one: one.uri.replace("/", "\0")):
            if all(map(shown, entry.uri[len(folder) + 1 :].split("/"))):
                yield entry
        return
    for entry in entries(folder):
        if shown(entry.uri.rpartition("/")[2]):
            if entry.is_folder:
                yield from walk(entry.uri, shown)
            else:
                yield entry


def _listed(folder: str, *, recursive: bool = False) -> list[Entry]:
    from pyarrow.fs import FileSelector

    with _failures("bucket"):
        path = _path(folder)
        # A bucket must be there.
        selector = FileSelector(path, allow_not_found="/" in path, recursive=recursive)
        return [_entry(folder, info) for info in _system(folder).get_file_info(selector)]


def _in_folder(folder: str, below: list[Entry]) -> list[Entry]:
    """Return what is in a folder, from all that is below it.

    A bucket has names with slashes, no folders, and of Google's pyarrow lists only such folders as
    an object stands for, which few programs make.
    """
    here = set()
    for entry in below:
        name, slash, _ = entry.uri[len(folder) + 1 :].partition("/")
        here.add(Entry(f"{folder}/{name}", is_folder=True, size=0) if slash else entry)
    return sorted(here)


def _entry(uri: str, info: Any) -> Entry:
    return Entry(f"{uri[:5]}{info.path}", info.size is None, info.size or 0)


def _is_google(uri: str) -> bool:
    return uri.startswith("gs://")


def _path(uri: str) -> str:
    return uri[len("s3://") :]


def _system(uri: str) -> Any:
    return _bucket_system(uri[:5], _path(uri).partition("/")[0])


@functools.cache
def _bucket_system(scheme: str, bucket: str) -> Any:
    from pyarrow.fs import FileSystem

    with _failures():
        return _google() if _is_google(scheme) else FileSystem.from_uri(f"{scheme}{bucket}")[0]


def _google() -> Any:
    from pyarrow.fs import GcsFileSystem

    patience = timedelta(seconds=_GOOGLE_SECONDS)
    # Google's libraries for other languages know another server by this; that for C++ does not.
    if other := os.environ.get("STORAGE_EMULATOR_HOST"):
        scheme, _, host = other.rpartition("://")
        return GcsFileSystem(
            anonymous=True,
            scheme=scheme or "http",
            endpoint_override=host.rstrip("/"),
            retry_time_limit=patience,
        )
    return GcsFileSystem(retry_time_limit=patience)


@contextlib.contextmanager
def _failures(wanted: str = "object") -> Iterator[None]:
    """Turn what pyarrow raises into a StoreError; `wanted` is what is not there if none is."""
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError(f"no such {wanted}", missing=wanted == "object") from error
    except (ImportError, OSError, ValueError, NotImplementedError) as error:
        raise StoreError(_reason(str(error))) from error


def _reason(text: str) -> str:
    found = re.search(_AWS, text) or re.search(_GOOGLE, text)
    if not found:
        return text
    kind, detail = found[1].lower().replace("_", " "), one_line(found[2]).rstrip(".")
    return kind if not detail or detail.lower() == _GENERIC else f"{kind}: {detail}"

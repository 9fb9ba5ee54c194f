"""Where a job's folder is: on a disk that every node sees, or in an object store.

Both write a file whole or not at all, so a worker that is killed leaves none that is cut.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from imgcls.core import stores
from imgcls.core.errors import OutputError
from imgcls.core.files import write_atomically
from imgcls.core.stores import StoreError


class Place(Protocol):
    """A folder; names of files in it may have one folder before them."""

    def sizes(self, below: str = "") -> dict[str, int]:
        """Return the files in the folder, or in one in it, with their sizes in bytes.

        Raises:
            OutputError: it cannot be listed.
        """
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where there is no such file.

        Raises:
            OutputError: it cannot be read.
        """
        ...

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes; None where there is no such file."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            OutputError: it cannot be removed.
        """
        ...


def place_of(path: str) -> Place:
    """Return the place that a path or a name in a store is."""
    return StorePlace(path.rstrip("/")) if stores.is_store(path) else DiskPlace(path)


class DiskPlace:
    """A folder on a disk."""

    def __init__(self, path: str) -> None:
        self._path = path

    def sizes(self, below: str = "") -> dict[str, int]:
        """List it; see `Place`."""
        try:
            with _failures(self._path, "read"), os.scandir(os.path.join(self._path, below)) as all_:
                return {one.name: one.stat().st_size for one in all_ if one.name[0] != "."}
        except FileNotFoundError:
            return {}

    def read(self, name: str) -> bytes | None:
        """Read a file; see `Place`."""
        try:
            with _failures(os.path.join(self._path, name), "read"):
                return Path(self._path, name).read_bytes()
        except FileNotFoundError:
            return None

    def size(self, name: str) -> int | None:
        """Return a file's size; see `Place`."""
        with contextlib.suppress(OSError):
            return Path(self._path, name).stat().st_size
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file; see `Place`."""
        path = Path(self._path, name)
        with _failures(self._path, "made"):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)

    def remove(self, name: str) -> None:
        """Remove a file; see `Place`."""
        with contextlib.suppress(FileNotFoundError), _failures(self._path, "changed"):
            Path(self._path, name).unlink()


class StorePlace:
    """A prefix in an object store."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def sizes(self, below: str = "") -> dict[str, int]:
        """List it; see `Place`."""
        with _failures(self._uri, "read"):
            found = stores.entries(f"{self._uri}/{below}".rstrip("/"))
        names = {one.uri.rpartition("/")[2]: one.size for one in found}
        return {name: size for name, size in names.items() if not name.startswith(".")}

    def read(self, name: str) -> bytes | None:
        """Read a file; see `Place`."""
        try:
            with _failures(f"{self._uri}/{name}", "read"):
                return stores.read(f"{self._uri}/{name}")
        except FileNotFoundError:
            return None

    def size(self, name: str) -> int | None:
        """Return a file's size; see `Place`."""
        with contextlib.suppress(StoreError):
            entry = stores.find(f"{self._uri}/{name}")
            return None if entry is None else entry.size
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file; see `Place`."""
        with _failures(f"{self._uri}/{name}", "written"):
            stores.write(f"{self._uri}/{name}", content)

    def remove(self, name: str) -> None:
        """Remove a file; see `Place`."""
        with contextlib.suppress(FileNotFoundError), _failures(self._uri, "changed"):
            stores.remove(f"{self._uri}/{name}")


@contextlib.contextmanager
def _failures(path: str, what: str) -> Iterator[None]:
    """Turn what a disk or a store refuses into an OutputError, but let FileNotFoundError pass."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be {what}: {error.strerror or error}") from error
    except StoreError as error:
        if error.missing:
            raise FileNotFoundError(path) from error
        raise OutputError(f"{path}: cannot be {what}: {error}") from error

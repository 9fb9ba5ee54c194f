"""Empty the cache, while other processes may be using it."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from imgcls.core.cache import cache_error, cache_lock, named_cache
from imgcls.core.errors import OutputError
from imgcls.core.files import remove, temporary_name

COMPILED = "compiled"
# Folders of small files; "memo" is what "content" was called.
_SMALL = ("content", "hashes", "memo")
_LOCKS = "locks"
# NAME-PRECISION-KEY, and .NAME-PRECISION-KEY.PID-HEX.tmp while it is made.
_COMPILED_NAME = r"\.?(?P<lock>.+)-[0-9a-f]{16}(\..*)?"


class Freed(NamedTuple):
    """Something that was removed from the cache.

    Attributes:
        name: its place in the cache folder; a folder of small files counts as one thing.
        size: in bytes.
    """

    name: str
    size: int


def clear_cache() -> Iterator[Freed]:
    """Remove all that imgcls keeps in its cache, of every version; yield each as it goes.

    Nothing else in the folder is touched, nor what is being made at this moment. A model that a
    process has opened stays open. Locks are empty and stay.

    Raises:
        OutputError: something cannot be removed.
    """
    if not named_cache().is_dir():
        return
    if not os.access(named_cache(), os.W_OK | os.X_OK):
        raise OutputError(f"{named_cache()}: the cache cannot be cleared: permission denied")
    with cache_lock("clear-cache"):
        yield from _clear(named_cache())


def _clear(cache: Path) -> Iterator[Freed]:
    for path in _contents(cache / COMPILED):
        if freed := _remove_compiled(path):
            yield freed
    for part in _SMALL:
        size = 0
        # A database's journal goes before it: it must never meet another database.
        for path in reversed(_contents(cache / part)):
            size += _remove(path)
        if size:
            yield Freed(f"{part}/", size)
    for path in _contents(cache / _LOCKS):
        if path.name.startswith("."):  # of an older version
            _remove(path)


def compiled_lock(name: str) -> str:
    """Return the name of the lock that guards a folder of compiled models, or one being made."""
    found = re.fullmatch(_COMPILED_NAME, name)
    return f"{COMPILED}-{found['lock'] if found else name.strip('.')}"


def _remove_compiled(path: Path) -> Freed | None:
    """Remove a compiled model at once for all who look; None if it is being made or is gone."""
    with cache_lock(compiled_lock(path.name), wait=False) as held:
        if not held:
            return None
        gone = path
        if not path.name.startswith("."):
            gone = temporary_name(path)
            try:
                os.rename(path, gone)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise cache_error(path, error) from error
        size = _remove(gone)
    return None if path.name.endswith(".lock") else Freed(f"{COMPILED}/{path.name}", size)


def _contents(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(folder.iterdir())
    return []


def _remove(path: Path) -> int:
    """Remove a file or folder; return its size in bytes."""
    size = 0
    # What a link leads to stays, so it is not counted.
    is_folder = path.is_dir() and not path.is_symlink()
    for file in (path, *path.rglob("*")) if is_folder else (path,):
        with contextlib.suppress(OSError):
            size += 0 if file.is_dir() and not file.is_symlink() else file.lstat().st_size
    try:
        remove(path)
    except OSError as error:
        raise cache_error(path, error) from error
    return size

"""The cache folder: where it is, its parts, its locks, and hashes that it remembers.

Whatever stands in the place of something of ours (a FIFO, a folder, a link) is not opened: it
is removed with one warning, and made anew. Locks are empty files that stay: one that is removed
while a process waits for it would let two have it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
import time
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from imgcls.core.errors import OutputError
from imgcls.core.files import read_regular, remove, sha256, write_atomically

log = logging.getLogger("imgcls")

# A file that changed so short a time ago may change again without a sign of it in its time.
_RECENT = 2 * 10**9  # nanoseconds
_HASHES = "hashes"
_HASH_FORMAT = 2


def cache_folder() -> Path:
    """Return the folder for compiled models: IMGCLS_CACHE, else the platform's own.

    A folder that cannot be written gives way to a temporary one with one warning, so a
    read-only home directory costs time but not the answer.

    Raises:
        OutputError: there is no folder that can be written.
    """
    return _writable_cache(os.environ.get("IMGCLS_CACHE", ""))


def cache_part(name: str) -> Path:
    """Return a folder of the cache, made if need be, closed to others.

    Raises:
        OutputError: it cannot be made.
    """
    folder = cache_folder() / name
    try:
        if os.path.lexists(folder) and not folder.is_dir():
            remove_stranger(folder)
        folder.mkdir(mode=0o700, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise cache_error(folder, error) from error
    if mode & 0o077:
        with contextlib.suppress(OSError):  # another's: they decide
            folder.chmod(0o700)
    return folder


def in_cache(part: str, name: str) -> Path:
    """Return the place of something in the cache, whether or not it is there.

    What is there counts also where the cache can only be read, as in a container.
    """
    path = named_cache() / part / name
    return path if os.path.lexists(path) else cache_part(part) / name


def named_cache() -> Path:
    """Return the cache folder as it is named, whether or not it is there or can be written."""
    named = os.environ.get("IMGCLS_CACHE")
    return Path(named) if named else _platform_cache()


def remove_stranger(path: Path) -> None:
    """Remove what stands in the place of something of ours, with a warning.

    Raises:
        OSError: it cannot be removed.
    """
    log.warning("%s: damaged; it is made anew", path)
    remove(path)


def cache_error(path: Path, error: OSError) -> OutputError:
    """Return the error to raise where something cannot be kept in the cache."""
    return OutputError(
        f"{path}: cannot be written: {error.strerror or error}; make room there, or set "
        "IMGCLS_CACHE to another folder"
    )


@contextlib.contextmanager
def cache_lock(name: str, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock among all processes for the time of a block.

    Args:
        name: what is locked.
        wait: for another process to release it.

    Yields:
        Whether it is held; always so with `wait`.

    Raises:
        OutputError: it cannot be made.
    """
    import filelock

    path = cache_part("locks") / f"{name}.lock"
    lock = filelock.FileLock(path, timeout=-1 if wait else 0)
    try:
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            remove_stranger(path)
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    except OSError as error:
        raise cache_error(path, error) from error
    try:
        yield True
    finally:
        lock.release()


@cache
def _writable_cache(named: str) -> Path:
    folder = Path(named) if named else _platform_cache()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
        reason = "permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    import atexit
    import shutil
    import tempfile

    try:
        temporary = Path(tempfile.mkdtemp(prefix="imgcls-"))
    except OSError as error:
        raise OutputError(
            f"{folder}: the cache cannot be written ({reason}), and neither can a temporary "
            "folder; set IMGCLS_CACHE to a folder of yours"
        ) from error
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    warnings.warn(
        f"{folder}: the cache cannot be written ({reason}), so models are compiled anew for "
        "this run; set IMGCLS_CACHE to a folder of yours",
        stacklevel=2,
    )
    # Processes that this one starts use the same folder.
    os.environ["IMGCLS_CACHE"] = str(temporary)
    return temporary


def _platform_cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("imgcls", appauthor=False))


def content_id(path: Path, *, fresh: bool = False) -> str:
    """Return a file's SHA-256, remembered in the cache by name, size and time of change.

    Hashing half a gigabyte of weights at every start would cost more than classifying.

    Args:
        path: the file.
        fresh: hash it again, because something is to be refused or written on the strength of
            the answer.
    """
    status = os.stat(path)
    facts = f"{_HASH_FORMAT}\0{os.path.realpath(path)}\0{status.st_size}\0{status.st_mtime_ns}"
    key = hashlib.sha256(os.fsencode(facts)).hexdigest()
    if not fresh and (remembered := _remembered(named_cache() / _HASHES / key)):
        return remembered
    digest = sha256(path)
    if abs(time.time_ns() - status.st_mtime_ns) > _RECENT:
        _remember(key, digest)
    return digest


def _remembered(place: Path) -> str:
    """Return a hash that is remembered; empty if there is none that can be trusted."""
    try:
        digest, _, check = read_regular(place).decode("ascii").partition(" ")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        digest, check = "", ""
    if digest and check == _check(place.name, digest):
        return digest
    if os.path.lexists(place):  # and was not cleared meanwhile, nor is `hashes` itself a file
        with contextlib.suppress(OSError):
            remove_stranger(place)
    return ""


def _remember(key: str, digest: str) -> None:
    named = named_cache()
    if not os.access(named, os.W_OK) and named.exists():
        return
    # Where it cannot be remembered, on a full disk for one, it is computed again.
    with contextlib.suppress(OutputError):
        write_atomically(cache_part(_HASHES) / key, f"{digest} {_check(key, digest)}".encode())


def _check(key: str, digest: str) -> str:
    return hashlib.sha256(f"{key} {digest}".encode()).hexdigest()

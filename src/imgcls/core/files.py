"""Files that are whole or absent: atomic writes, the cache folder, content hashes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO

from imgcls.core.errors import OutputError


def is_offline() -> bool:
    """Whether the network is forbidden, by `--offline` or IMGCLS_OFFLINE."""
    return os.environ.get("IMGCLS_OFFLINE", "").lower() not in ("", "0", "false", "no")


def temporary_name(path: Path) -> Path:
    """Return a name beside `path` that no other process uses.

    It starts with a dot, so folder walks pass over it.
    """
    return path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name `path` only when the block ends well.

    A symbolic link is followed, so the file it points to is replaced and the link stays.

    Raises:
        OutputError: the file cannot be written; `path` is then as it was before.
    """
    target = Path(os.path.realpath(path))
    temporary = temporary_name(target)
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    Raises:
        OutputError: as `atomic_writer`.
    """
    with atomic_writer(path) as file:
        file.write(content)


def place_copy(source: str, target: str) -> None:
    """Copy a file with its times to a new name, whole or not at all.

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be copied.
    """
    import shutil

    # A short name: with the target's own it might be too long.
    temporary = str(temporary_name(Path(target).with_name("copy")))
    try:
        shutil.copy2(source, temporary)
        _rename_to_new(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def place_link(source: str, target: str) -> None:
    """Give a file a second name (a hard link).

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be linked, as across devices.
    """
    os.link(os.path.realpath(source), target)


def place_symlink(source: str, target: str) -> None:
    """Make a symbolic link with an absolute path.

    Raises:
        FileExistsError: there is something of that name.
        OSError: the file system has none.
    """
    os.symlink(os.path.abspath(source), target)


def place_move(source: str, target: str) -> None:
    """Move a file to a new name, across devices by a copy that is whole before it goes.

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be moved; it is then where it was.
    """
    if os.path.islink(source):
        raise OSError(errno.ELOOP, "it is a symbolic link, which would lose its way")
    try:
        _rename_to_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        place_copy(source, target)
        os.unlink(source)


def _rename_to_new(source: str, target: str) -> None:
    """Rename a file, but never onto another.

    POSIX renames onto what is there; a link and an unlink do not. Where there are no links,
    as on FAT, looking first is all that can be done.
    """
    if os.name == "nt":
        os.rename(source, target)
        return
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
        os.rename(source, target)
    else:
        os.unlink(source)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """Return the folder for compiled models: IMGCLS_CACHE, else the platform's own.

    A folder that cannot be written gives way to a temporary one with one warning, so a
    read-only home directory costs time but not the answer.
    """
    return _writable_cache(os.environ.get("IMGCLS_CACHE", ""))


# The parts of the cache, all of which `imgcls models clear-cache` may remove.
CACHE_PARTS = ("compiled", "hashes", "locks", "memo")


def cache_part(name: str) -> Path:
    """Return a folder of the cache (see `CACHE_PARTS`), made if need be, closed to others."""
    folder = cache_folder() / name
    folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
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
    warnings.warn(
        f"{folder}: the cache cannot be written ({reason}), so models are compiled anew for "
        "this run; set IMGCLS_CACHE to a folder of yours",
        stacklevel=2,
    )
    import atexit
    import shutil
    import tempfile

    temporary = Path(tempfile.mkdtemp(prefix="imgcls-"))
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    # Processes that this one starts use the same folder.
    os.environ["IMGCLS_CACHE"] = str(temporary)
    return temporary


def _platform_cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("imgcls", appauthor=False))


def content_id(path: Path) -> str:
    """Return a file's SHA-256, remembered in the cache by name, size and time of change.

    Hashing half a gigabyte of weights at every start would cost more than classifying.
    """
    status = os.stat(path)
    facts = f"{os.path.realpath(path)}\0{status.st_size}\0{status.st_mtime_ns}"
    named = named_cache()
    memo = named / "hashes" / hashlib.sha256(os.fsencode(facts)).hexdigest()
    try:
        remembered = json.loads(memo.read_bytes())
        if isinstance(remembered, str) and len(remembered) == 64:
            return remembered
    except (OSError, ValueError):
        pass  # not remembered yet, or damaged: hash again
    digest = sha256(path)
    if os.access(named, os.W_OK) or not named.exists():
        write_atomically(cache_part("hashes") / memo.name, json.dumps(digest).encode())
    return digest

"""Files that are whole or absent: atomic writes, what was left of them, content hashes."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import re
import stat
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO

from imgcls.core.errors import OutputError

# .NAME.imgcls-PID-HEX.tmp, see `temporary_name`; some take another ending for .tmp.
_TEMPORARY = r"(?s)\..*\.imgcls-(?P<pid>[0-9]+)-[0-9a-f]{8}\.\w+"
# Those that this process writes now, and whether it may begin others: at its end, which Ctrl-C
# may bring while threads write, they are removed.
_unfinished: set[Path] = set()
_beginning = threading.Lock()
_ended = threading.Event()
_NAME_KEPT = 50  # characters of at most 4 bytes; a file's name has at most 255 bytes


def temporary_name(path: Path) -> Path:
    """Return a name beside `path` that no other process uses.

    It starts with a dot, so folder walks pass over it, and says whose it is, so that a later
    run can remove what a killed one left (`remove_leftovers`).
    """
    mark = f"imgcls-{os.getpid()}-{os.urandom(4).hex()}"
    return path.with_name(f".{path.name[:_NAME_KEPT]}.{mark}.tmp")


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name `path` only when the block ends well.

    A symbolic link is followed, so the file it points to is replaced and the link stays.

    Raises:
        OutputError: the file cannot be written; `path` is then as it was before.
    """
    target = Path(os.path.realpath(path))
    remove_leftovers_once(target.parent)
    temporary = temporary_name(target)
    try:
        with _begin(temporary) as file:
            _lock(file.fileno())
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
        _unfinished.discard(temporary)


def _begin(temporary: Path) -> IO[bytes]:
    with _beginning:
        if _ended.is_set():
            raise InterruptedError("the program ends")
        _unfinished.add(temporary)
        return open(temporary, "wb")


@atexit.register
def _remove_unfinished() -> None:
    with _beginning:
        _ended.set()
        for temporary in _unfinished.copy():
            with contextlib.suppress(OSError):
                remove(temporary)


@contextlib.contextmanager
def working_folder(path: Path) -> Iterator[Path]:
    """Make a hidden folder beside `path`, for what takes its name when it is done.

    It is removed when the block ends, and one that a killed process left when the next begins.

    Raises:
        OutputError: it cannot be made.
    """
    remove_leftovers_once(path.parent)
    folder = temporary_name(path)
    try:
        with _beginning:
            if _ended.is_set():
                raise InterruptedError("the program ends")
            _unfinished.add(folder)
            folder.mkdir(mode=0o700)
        descriptor = os.open(folder, os.O_RDONLY) if os.name == "posix" else None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    try:
        if descriptor is not None:
            _lock(descriptor)
        yield folder
    finally:
        if descriptor is not None:
            os.close(descriptor)
        with contextlib.suppress(OSError):
            remove(folder)
        _unfinished.discard(folder)


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    Raises:
        OutputError: as `atomic_writer`.
    """
    with atomic_writer(path) as file:
        file.write(content)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders in a folder whose process was killed before it could.

    One is taken for left over where its process is gone and no other holds a lock on it, as
    one in another container or on another machine would.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = re.fullmatch(_TEMPORARY, entry.name)
            if found and not is_running(int(found["pid"])):
                _remove_unlocked(entry.path)


# Once in a process: a run that writes thousands of files must not list their folder each time.
remove_leftovers_once = functools.cache(remove_leftovers)


def is_running(pid: int) -> bool:
    """Whether there is a process of that number; on POSIX only."""
    if os.name != "posix":
        return False  # there a file that is open cannot be removed
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # another user's
    return True


def _remove_unlocked(path: str) -> None:
    with contextlib.suppress(OSError):
        if os.path.isdir(path) and not os.path.islink(path):
            descriptor = os.open(path, os.O_RDONLY)
            if _lock(descriptor):
                remove(Path(path))
            os.close(descriptor)
            return
    with contextlib.suppress(OSError), open_regular(path) as file:
        if _lock(file.fileno()) or os.name != "posix":
            file.close()
            os.unlink(path)


def _lock(descriptor: int) -> bool:
    """Lock an open file for as long as it is open; whether that was possible."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # Windows, or a file system without locks
        return False
    return True


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file for reading if it is a regular one, and no link; never wait for one.

    A FIFO would hold the reader until somebody writes to it, a device without an end.

    Raises:
        OSError: there is none, it is something else, or it cannot be opened.
    """
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{os.fspath(path)}: no regular file")
    return os.fdopen(descriptor, "rb")


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """Read a file, see `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there.

    Raises:
        OSError: it cannot be removed.
    """
    import shutil

    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        pass  # another process was faster


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

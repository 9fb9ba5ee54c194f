"""A file that one result goes to: what may be replaced, and that it is whole or as it was."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from imgcls.core.errors import OutputError
from imgcls.core.files import atomic_writer

# How much of a file's start and end tells whose output it is.
_END_BYTES = 4096
_NAME_KEPT = 200  # bytes of a name that the name of its lock has; systems allow 255


def check_output(path: str, is_own: Callable[[bytes], bool]) -> None:
    """Refuse an output file that must not or cannot be written, before any work is done.

    Args:
        path: the output file.
        is_own: whether a file's first bytes, with its last if it is long, are an earlier output
            of the same kind.

    Raises:
        OutputError: the file is something else, or its folder does not exist.
    """
    folder = os.path.dirname(path) or os.curdir
    if os.path.isdir(path):
        raise OutputError(f"{path}: is a folder; name a file")
    if not os.path.isdir(folder):
        raise OutputError(f"{folder}: no such folder; make it first")
    if not os.path.isfile(path):
        return
    with open(path, "rb") as file:
        start = file.read(_END_BYTES)
        rest = os.fstat(file.fileno()).st_size - len(start)
        if rest > 0:
            file.seek(-min(rest, _END_BYTES), os.SEEK_END)
            start += file.read()
    if start and not is_own(start):
        raise OutputError(
            f"{path}: exists and is not an earlier output of this kind; name another file"
        )


def write_file(path: str, pieces: Iterable[str | bytes]) -> None:
    """Write pieces, text or bytes, to a file that is there when all are written, else as it was.

    A device or a pipe is written directly.

    Raises:
        OutputError: it cannot be written.
    """
    if is_special(path):
        try:
            with open(path, "wb") as file:
                write_pieces(file, pieces)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    else:
        with atomic_writer(Path(path)) as file:
            write_pieces(file, pieces)


def write_pieces(file: IO[bytes], pieces: Iterable[str | bytes]) -> None:
    """Write pieces as they come; a path that is not UTF-8 comes out as the bytes it is."""
    for piece in pieces:
        file.write(piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece)
        file.flush()


@contextlib.contextmanager
def only_writer(path: Path, shown: str) -> Iterator[None]:
    """Be the only run that writes an output, for the time of a block.

    Args:
        path: the output, no link. A hidden file beside it is locked.
        shown: what messages call it.

    Raises:
        OutputError: another run writes it, or its folder cannot be written to.
    """
    import filelock

    kept = os.fsencode(path.name)[:_NAME_KEPT].decode("utf-8", "ignore")
    lock_file = path.with_name(f".{kept}.lock")
    lock = filelock.FileLock(lock_file, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise OutputError(
            f"{shown}: another run is writing it; wait for it or name another"
        ) from None
    except OSError as error:
        raise OutputError(f"{shown}: cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        # While it is held: who has opened it meanwhile then sees that it is gone, and opens anew.
        with contextlib.suppress(OSError):  # Windows removes it when it is released
            lock_file.unlink(missing_ok=True)
        lock.release()


def linked_file(path: str | os.PathLike[str]) -> str:
    """Return the file that a link leads to: the link stays one, and the rest goes beside the file.

    What is no link is returned as it was named.
    """
    return os.path.realpath(path) if os.path.islink(path) else os.fspath(path)


def is_special(path: str) -> bool:
    """Whether a path is a device or a pipe, which no other file can take the place of."""
    return os.path.exists(path) and not os.path.isfile(path)

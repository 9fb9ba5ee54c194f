"""Where results go: standard output, or a file that is there whole or as it was before."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable
from typing import BinaryIO

from imgcls.core.errors import OutputError
from imgcls.render.safe import printable_lines


def write_stdout(pieces: Iterable[str]) -> None:
    """Write pieces of text to standard output as they come.

    Paths that are not valid UTF-8 come out as the bytes they are; on a terminal, control
    characters are written out.

    Raises:
        OutputError: it cannot be written.
        BrokenPipeError: the reader has gone.
    """
    to_terminal = sys.stdout.isatty()
    try:
        for piece in pieces:
            shown = printable_lines(piece) if to_terminal else piece
            sys.stdout.buffer.write(shown.encode("utf-8", "surrogateescape"))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Nothing more can be written; what is buffered must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"standard output: cannot be written: {error.strerror}") from error


def check_output(path: str, is_own: Callable[[bytes], bool]) -> None:
    """Refuse an output file that must not or cannot be written, before any work is done.

    Args:
        path: the output file.
        is_own: whether a file's first bytes are an earlier output of the same kind.

    Raises:
        OutputError: the file is something else, or its folder does not exist.
    """
    folder = os.path.dirname(path) or os.curdir
    if os.path.isdir(path):
        raise OutputError(f"{path}: is a folder; name a file")
    if not os.path.isdir(folder):
        raise OutputError(f"{folder}: no such folder; make it first")
    if not _is_regular(path):
        return
    with open(path, "rb") as file:
        start = file.read(4096)
    if start and not is_own(start):
        raise OutputError(
            f"{path}: exists and is not an earlier output of this kind; name another file"
        )


def write_file(path: str, pieces: Iterable[str]) -> None:
    """Write pieces of text to PATH.part as they come, and rename it to PATH when all are there.

    A device or pipe is written directly. If it ends early, PATH.part stays and PATH is as it
    was before.

    Raises:
        OutputError: it cannot be written.
    """
    direct = os.path.lexists(path) and not _is_regular(path)
    target = path if direct else os.path.realpath(path)
    part = target if direct else f"{target}.part"
    try:
        with open(part, "wb") as file:
            _write(file, pieces)
            if not direct:
                os.fsync(file.fileno())
        if not direct:
            os.replace(part, target)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _write(file: BinaryIO, pieces: Iterable[str]) -> None:
    for piece in pieces:
        file.write(piece.encode("utf-8", "surrogateescape"))
        file.flush()


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False

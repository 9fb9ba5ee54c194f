"""Where results go: standard output, or a file that is there whole or as it was before."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from imgcls.cli.bar import above_lines
from imgcls.core.errors import OutputError
from imgcls.core.files import atomic_writer
from imgcls.render.safe import printable_lines
from imgcls.render.style import PLAIN, Painted, Style

# How much of a file's start and end tells whose output it is.
_END_BYTES = 4096


def stdout_style() -> Style:
    """Return how text on standard output is adorned: only on a terminal.

    NO_COLOR (https://no-color.org) and a dumb terminal go without colour.
    """
    if not sys.stdout.isatty():
        return PLAIN
    color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if sys.platform == "win32" and color:
        import colorama  # comes with click there

        colorama.just_fix_windows_console()
    return Style(color=color, bars=True)


def write_stdout(pieces: Iterable[str | bytes]) -> None:
    """Write pieces of text to standard output as they come.

    Paths that are not valid UTF-8 come out as the bytes they are; on a terminal, control
    characters are written out, but for those in `Painted` pieces.

    Raises:
        OutputError: it cannot be written.
        BrokenPipeError: the reader has gone.
    """
    to_terminal = sys.stdout.isatty()
    try:
        for piece in pieces:
            if to_terminal and isinstance(piece, str) and not isinstance(piece, Painted):
                piece = printable_lines(piece)
            with above_lines() if to_terminal else contextlib.nullcontext():
                _write(sys.stdout.buffer, [piece])
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
                _write(file, pieces)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    else:
        with atomic_writer(Path(path)) as file:
            _write(file, pieces)


def _write(file: IO[bytes], pieces: Iterable[str | bytes]) -> None:
    for piece in pieces:
        file.write(piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece)
        file.flush()


def is_special(path: str) -> bool:
    """Whether a path is a device or a pipe, which no other file can take the place of."""
    return os.path.exists(path) and not os.path.isfile(path)

"""Results on standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable

from imgcls.cli.bar import above_lines
from imgcls.core.errors import OutputError
from imgcls.core.output_file import write_pieces
from imgcls.core.safe import printable_lines
from imgcls.render.style import PLAIN, Painted, Style


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
                write_pieces(sys.stdout.buffer, [piece])
    except BrokenPipeError:
        # Nothing more can be written; what is buffered must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"standard output: cannot be written: {error.strerror}") from error

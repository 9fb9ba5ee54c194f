"""`--help` at once: the texts in `help/`, which `make docs` writes, without importing click."""

from __future__ import annotations

import os
import sys

FOLDER = os.path.join(os.path.dirname(__file__), "help")
WIDTH = 80  # columns that the texts need; in fewer, click wraps them anew


def show(arguments: list[str]) -> bool:
    """Print the help that a command line asks for, where it asks for nothing else.

    Args:
        arguments: as in `sys.argv`, without the program.

    Returns:
        Whether it is printed. Where not, click prints it, or says what is wrong.
    """
    if not arguments or arguments[-1] not in ("-h", "--help") or not _is_wide():
        return False
    names = arguments[:-1]
    if not all(name.isalpha() for name in names):
        return False
    try:
        with open(os.path.join(FOLDER, f"{file_stem(names)}.txt"), encoding="utf-8") as file:
            text = file.read()
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError):  # no such command, or an output that cannot be written
        return False
    return True


def file_stem(names: list[str]) -> str:
    """Return what the text of a command is called, without its ending."""
    return "-".join(["imgcls", *names])


def _is_wide() -> bool:
    """Whether standard output is as wide as the texts; what is no terminal is."""
    if sys.stdout is None or "COLUMNS" in os.environ:
        return False
    try:
        return not sys.stdout.isatty() or os.get_terminal_size(1).columns >= WIDTH
    except (OSError, ValueError):
        return False

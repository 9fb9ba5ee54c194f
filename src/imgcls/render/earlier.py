"""Which inputs an earlier output of `predict` has, so that it is not replaced by other results.

Names come back as `readable` returns them, whatever the format made of them.
"""

from __future__ import annotations

import fnmatch
import glob
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import IO

from imgcls.core.safe import readable

# A line of the text output that begins an image: its path, and with `--top 1` or an error more.
_TEXT_LINE = r"(.+?)(: error: .*|: unknown \(nearest: .* \d+\.\d\d%\)|: [^:]+ \(\d+\.\d\d%\))?\n?"
_CARD = r'<article class="card \w+" data-name="([^"]*)"'
_FIRST_KEY = '{"path": '


def jsonl_names(file: IO[bytes]) -> Iterator[str]:
    """Yield the names in JSON Lines, or in an array of an object a line."""
    decoder = json.JSONDecoder()
    for line in _lines(file):
        if line.startswith(_FIRST_KEY):
            yield readable(decoder.raw_decode(line, len(_FIRST_KEY))[0])


def csv_names(file: IO[bytes]) -> Iterator[str]:
    """Yield the names in CSV: the first fields, without what guards formulas."""
    import csv  # few runs find an earlier output of theirs

    rows = csv.reader(_lines(file))
    next(rows, None)
    for row in rows:
        if row:
            yield readable(re.sub(r"^'(?=[=+\-@\t])", "", row[0]))


def text_names(file: IO[bytes]) -> Iterator[str]:
    """Yield the names in text: of lines that are not indented, what is before the answer."""
    for line in _lines(file):
        found = None if line.startswith("  ") else re.fullmatch(_TEXT_LINE, line)
        if found:
            yield readable(found[1])


def html_names(file: IO[bytes]) -> Iterator[str]:
    """Yield the names on a page; of a very long run it does not show all."""
    import html

    for line in _lines(file):
        for found in re.finditer(_CARD, line):
            yield html.unescape(found[1])


def _lines(file: IO[bytes]) -> Iterator[str]:
    return (line.decode("utf-8", "surrogateescape") for line in file)


class NamedInputs:
    """What a command names: files, folders with all below them, and globs."""

    def __init__(self, inputs: Iterable[str], listed: Iterable[str]) -> None:
        """Note the names.

        Args:
            inputs: as on the command line; those with `*`, `?` or `[` may be globs.
            listed: read from a list; there are no globs in it.
        """
        named = list(inputs)
        self._patterns = [_pattern(text) for text in named if glob.has_magic(text)]
        self._names = {_absolute(readable(text)) for text in (*named, *listed)}

    def cover(self, name: str) -> bool:
        """Whether an input, as an earlier output calls it, is one of these or below one."""
        path = _absolute(name)
        while path not in self._names:
            above = os.path.dirname(path)
            if above == path:
                relative = os.path.normpath(name)
                return any(fnmatch.fnmatch(relative, pattern) for pattern in self._patterns)
            path = above
        return True


def _absolute(name: str) -> str:
    return os.path.abspath(name) if name else name


def _pattern(text: str) -> str:
    """Return a glob for `fnmatch`; a part of it that exists literally is literal."""
    before, parts = "", list[str]()
    for part in os.path.normpath(text).split(os.sep):
        before = os.path.join(before, part) if parts else part or os.sep
        parts.append(glob.escape(part) if os.path.lexists(before) else part)
    return os.sep.join(parts)

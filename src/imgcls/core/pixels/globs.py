"""Quoted globs, matched as a shell does, but sorted without holding all names."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator

from imgcls.core.pixels.walking import sorted_entries


def has_magic(text: str) -> bool:
    """Whether a text may be a glob."""
    return any(character in text for character in "*?[")


def match(pattern: str) -> Iterator[str]:
    """Yield the paths that a glob matches, sorted within each folder.

    `**` is any folders; links to folders are not followed there. A part that exists literally is
    literal, so that a folder called `shots [2024]` can stand in a pattern.
    """
    drive, rest = os.path.splitdrive(pattern)
    parts = rest.replace(os.sep, "/").split("/")
    root = drive + (os.sep if rest.startswith(("/", os.sep)) else "")
    return _match(root, [part for part in parts if part])


def _match(base: str, parts: list[str]) -> Iterator[str]:
    if not parts:
        yield base
        return
    head, *rest = parts
    literal = os.path.join(base, head)
    if os.path.lexists(literal):
        yield from _match(literal, rest)
    elif head == "**" and not rest:
        yield base or os.curdir
    elif head == "**":
        for folder in _folders(base):
            yield from _match(folder, rest)
    elif has_magic(head):
        for entry in _entries(base):
            if fnmatch.fnmatch(entry.name, head) and (not rest or _is_folder(entry)):
                yield from _match(os.path.join(base, entry.name), rest)


def _folders(base: str) -> Iterator[str]:
    """Yield a folder and all below it, each before those inside it."""
    waiting = [base]
    while waiting:
        folder = waiting.pop()
        yield folder
        inside = [e.name for e in _entries(folder) if _is_folder(e, follow_symlinks=False)]
        waiting += (os.path.join(folder, name) for name in reversed(inside))


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        yield from sorted_entries(folder or os.curdir)
    except OSError:
        return  # a folder that cannot be listed matches nothing, as in a shell


def _is_folder(entry: os.DirEntry[str], *, follow_symlinks: bool = True) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow_symlinks)
    except OSError:  # a link to itself
        return False

"""The images in a folder and those below it, by name; nothing is dropped in silence.

Nothing here holds all names: folders are read with `os.scandir`, and even one folder of a
million files is put in order a slice at a time.
"""

from __future__ import annotations

import heapq
import logging
import os
import stat
from collections.abc import Iterator

from imgcls.core.pixels.formats import has_image_ending, is_earlier_drawing, looks_like_image
from imgcls.core.pixels.source import LINK_TO_NOWHERE, Source

log = logging.getLogger("imgcls")

# Names in order are found by passes over the folder that keep this many.
_SLICE = 10_000


def walk(folder: str, root: str = "", *, aloud: bool = True) -> Iterator[Source]:
    """Yield the images in a folder and those below it, sorted by name.

    Hidden files and folders are skipped. Links to folders and drawings of earlier runs are
    passed over, which is logged once. What cannot be read, be it a folder, or a link or a file
    that is called as an image is, yields a "missing" source that says why. `root` is the folder
    that the user named, if it is another. With `aloud` False nothing is logged, for a look ahead.
    """
    passed = _PassedOver()
    above = [(folder, sorted_entries(folder))]  # not by recursion: folders may lie very deep
    while above:
        path, entries = above[-1]
        try:
            entry = next(entries, None)
        except OSError as error:
            yield Source(path, "missing", (error.strerror or str(error)).lower(), root or folder)
            entry = None
        if entry is None:
            above.pop()
        elif _is_folder(entry):
            above.append((entry.path, sorted_entries(entry.path)))
        elif source := _source(entry, root or folder, passed):
            yield source
    if aloud:
        passed.say(folder)


def sorted_entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield a folder's entries that are not hidden, by name, holding at most a slice of them.

    Raises:
        OSError: the folder cannot be read.
    """
    last = ""
    while True:
        with os.scandir(folder) as entries:
            visible = (e for e in entries if not e.name.startswith(".") and e.name > last)
            part = heapq.nsmallest(_SLICE, visible, key=lambda entry: entry.name)
        yield from part
        if len(part) < _SLICE:
            return
        last = part[-1].name


class _PassedOver:
    """What a walk passes over on purpose."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self.drawings: list[str] = []

    def say(self, folder: str) -> None:
        for paths, one, many in (
            (self.links, "link to a folder is", "links to folders are"),
            (self.drawings, "drawing of an earlier run is", "drawings of earlier runs are"),
        ):
            if paths:
                log.warning(
                    "%s: %d %s passed over (%s%s); name %s as an input to take it in",
                    folder,
                    len(paths),
                    one if len(paths) == 1 else many,
                    ", ".join(paths[:3]),
                    ", …" if len(paths) > 3 else "",
                    "it" if len(paths) == 1 else "each",
                )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # then it is seen as a file, whose record says why
        return False


def _source(entry: os.DirEntry[str], root: str, passed: _PassedOver) -> Source | None:
    """Return what a walk takes for an entry that is no folder."""
    try:
        mode = entry.stat().st_mode  # of what a link leads to
    except OSError as error:
        if not has_image_ending(entry.name):
            return None
        nowhere = isinstance(error, FileNotFoundError) and entry.is_symlink()
        reason = LINK_TO_NOWHERE if nowhere else (error.strerror or str(error)).lower()
        return Source(entry.path, "missing", reason, root)
    if stat.S_ISDIR(mode):
        passed.links.append(entry.path)
    elif not stat.S_ISREG(mode):
        if has_image_ending(entry.name):
            return Source(entry.path, "missing", "a pipe, a device or a socket, not a file", root)
    elif is_earlier_drawing(entry.path):
        passed.drawings.append(entry.path)
    elif looks_like_image(entry.path):
        return Source(entry.path, root=root)
    return None

"""Put each image into a folder of its label."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from imgcls.core.errors import OutputError, UsageError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.classify.classify import Record
from imgcls.core.tasks.classify.manifest import Manifest, Placement
from imgcls.core.tasks.classify.placing import place_copy, place_link, place_move, place_symlink

log = logging.getLogger("imgcls")

SortMode = Literal["copy", "link", "symlink", "move"]

# How a file comes to its new name; each raises FileExistsError rather than overwrite.
SORT_MODES: Mapping[SortMode, Callable[[str, str], None]] = {
    "copy": place_copy,
    "link": place_link,
    "symlink": place_symlink,
    "move": place_move,
}

UNKNOWN, ERRORS = "unknown", "errors"

# What no file system or shell likes in a name.
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]|[\ud800-\udfff]|[\u2028-\u202e\u2066-\u2069]')
# Names with a meaning of their own: devices on Windows, and our manifests.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|manifest(-\d+)?\.csv", re.IGNORECASE)
_LONGEST = 120  # bytes
# What the system says where a link cannot be, but a copy can.
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)


def folder_name(label: str) -> str:
    """Return a label as the name of one folder: no separators, dots or devices in it."""
    name = _UNFIT.sub("_", label).strip(" ").rstrip(". ").lstrip(".")
    name = name.encode()[:_LONGEST].decode(errors="ignore").rstrip(". ")
    if not name or _RESERVED.fullmatch(name):
        name = f"_{name}"
    return name


def folder_names(labels: Sequence[ClassLabel]) -> dict[ClassLabel, str]:
    """Return the folder of each class.

    Classes whose names would meet, also on a system that takes `Cat` for `cat`, and those
    called as the folders for the rest have their class id or index behind.
    """
    names = [folder_name(one.label) for one in labels]
    counts: dict[str, int] = {UNKNOWN: 1, ERRORS: 1}
    for name in names:
        counts[name.casefold()] = counts.get(name.casefold(), 0) + 1
    return {
        one: name
        if counts[name.casefold()] == 1
        else f"{name}-{column if one.class_id == one.label else folder_name(one.class_id)}"
        for column, (one, name) in enumerate(zip(labels, names, strict=True))
    }


def check_sort_into(folder: str, inputs: Iterable[str]) -> None:
    """Refuse to sort a folder into itself or into one below it.

    Raises:
        UsageError: `folder` lies in one of the inputs, or is a file.
    """
    target = os.path.realpath(folder)
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise UsageError(f"{folder}: is a file; name a folder to sort into")
    for name in inputs:
        if not os.path.isdir(name):
            continue
        source = os.path.realpath(name)
        if target == source or target.startswith(os.path.join(source, "")):
            raise UsageError(f"{folder}: lies in {name}, which is to be sorted; name another")


class Sorter:
    """Finds each image its place in a folder, and puts it there.

    Attributes:
        failed: how many could not be put there.
        placed: how many were.
        manifest: the path of the list of them; None where nothing was placed yet.
    """

    def __init__(self, folder: str, labels: Sequence[ClassLabel], mode: SortMode = "copy") -> None:
        self._folder = os.path.realpath(folder)
        self._names = folder_names(labels)
        self._mode: SortMode = mode
        self._next_number: dict[str, int] = {}
        self._planned: set[int] | None = None
        self.placed = self.failed = 0
        self.manifest: str | None = None

    def plan(self, records: Iterable[Record]) -> Iterator[Placement]:
        """Yield where each image would go; nothing is touched.

        Of each name that was given, a hash is kept.
        """
        self._planned = set()
        for record in records:
            placement = self._place_of(record)
            if placement is not None:
                self._planned.add(hash(placement.target))
                yield placement

    def sort(self, records: Iterable[Record]) -> Iterator[Record]:
        """Put each image in its place, and yield its record then.

        Raises:
            OutputError: the folder or its manifest cannot be written. What was done until then
                is in the manifest.
        """
        with Manifest(self._folder) as manifest:
            for record in records:
                placement = self._place_of(record)
                if placement is not None:
                    self._put(placement, manifest)
                    self.manifest = manifest.path
                yield record

    def _place_of(self, record: Record) -> Placement | None:
        path = record.path
        is_file = path != "-" and not path.startswith(("http://", "https://"))
        if not is_file or not os.path.isfile(path):
            if record.status != "error":  # else its record says so
                self._skip(path, "it is no file")
            return None
        if self._mode == "move" and os.path.islink(path):
            self._skip(path, "a link that is moved loses its way; use another --sort-mode")
            return None
        source = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        best = record.predictions[0] if record.predictions else None
        name = self._names[ClassLabel(best.class_id, best.label)] if best else ERRORS
        folder = os.path.join(self._folder, UNKNOWN if record.status == "unknown" else name)
        if os.path.dirname(source) == folder:
            return None  # it is there
        target = self._free_name(os.path.join(folder, os.path.basename(path)))
        return Placement(source, target, best.label if best else "", best.score if best else None)

    def _skip(self, path: str, reason: str) -> None:
        self.failed += 1
        log.warning("%s: not sorted: %s", path, reason)

    def _free_name(self, wanted: str) -> str:
        if not self._is_taken(wanted):
            return wanted
        stem, ending = os.path.splitext(wanted)
        number = self._next_number.get(wanted, 2)
        while self._is_taken(f"{stem}-{number}{ending}"):
            number += 1
        self._next_number[wanted] = number + 1
        return f"{stem}-{number}{ending}"

    def _is_taken(self, name: str) -> bool:
        planned = self._planned is not None and hash(name) in self._planned
        return planned or os.path.lexists(name)

    def _put(self, placement: Placement, manifest: Manifest) -> None:
        folder = os.path.dirname(placement.target)
        try:
            os.makedirs(folder, exist_ok=True)
            if os.path.islink(folder):
                raise OutputError(f"{folder}: is a link out of the sorted folder; remove it")
            # First the line, then the deed: whatever ends the run, --undo knows of it.
            manifest.add(placement)
            self._place(placement.source, placement.target)
            self.placed += 1
        except FileExistsError:
            if not os.path.isdir(folder):
                raise OutputError(f"{folder}: is no folder; move it away") from None
            # Another run has just taken the name.
            manifest.drop_last()
            free = self._free_name(placement.target)
            self._put(replace(placement, target=free), manifest)
        except FileNotFoundError:
            manifest.drop_last()
            self._skip(placement.source, "it is gone")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            done = f"; {manifest.path} lists what was done" if self.placed else ""
            raise OutputError(
                f"{placement.source}: cannot be put into {folder}: {reason}{done}"
            ) from error

    def _place(self, source: str, target: str) -> None:
        try:
            SORT_MODES[self._mode](source, target)
        except OSError as error:
            if self._mode != "link" or error.errno not in _NO_LINKS:
                raise
            log.warning("%s: cannot be linked to from here; files are copied", source)
            self._mode = "copy"
            place_copy(source, target)

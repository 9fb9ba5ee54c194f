"""Put each image into a folder of its label."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imgcls.core.errors import OutputError
from imgcls.core.files import remove_leftovers_once
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.classify.classify import Record
from imgcls.core.tasks.classify.folder_names import ERRORS, UNKNOWN, folder_names
from imgcls.core.tasks.classify.manifest import Manifest, Placement, last_placement
from imgcls.core.tasks.classify.placing import SORT_MODES, SortMode, is_same_content

log = logging.getLogger("imgcls")

# What the system says where a link cannot be, but a copy can.
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)
# What no other image would fare better with.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


class Sorter:
    """Finds each image its place in a folder, and puts it there.

    Attributes:
        failed: how many could not be put there.
        placed: how many were.
        manifest: the path of the list of them; None where nothing was placed yet.
    """

    def __init__(
        self,
        folder: str,
        labels: Sequence[ClassLabel],
        mode: SortMode = "copy",
        *,
        resume: bool = False,
    ) -> None:
        """Find out what the folder of each class is called; nothing is touched.

        Args:
            folder: where to sort to; made if it is not there.
            labels: the model's classes.
            mode: how files get there.
            resume: whether `complete` is to do what an interrupted run left undone.

        Raises:
            UsageError: the manifest of the interrupted run is damaged.
        """
        self._folder = os.path.realpath(folder)
        self._names = folder_names(labels)
        self._mode: SortMode = mode
        self._next_number: dict[str, int] = {}
        self._planned: set[int] | None = None
        self._interrupted = last_placement(self._folder) if resume else None
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
        """Yield each record, and put its image in its place when the next one is asked for.

        The line in the manifest comes first, then whoever asks writes the record, and only then
        is the image placed. So one that was moved always has its record; and of a run that ended
        in between, `complete` finds from the manifest what is still to do.

        Raises:
            OutputError: the folder or its manifest cannot be written. What was done until then
                is in the manifest.
        """
        with Manifest(self._folder) as manifest:
            for record in records:
                placement = self._place_of(record)
                if placement is not None:
                    self._announce(placement, manifest)
                yield record
                if placement is not None:
                    self._put(placement, manifest)

    def note(self, records: Iterable[Record], placements: list[Placement]) -> Iterator[Record]:
        """Yield each record, and add to `placements` where its image goes; nothing is touched."""
        self._planned = set()
        for record in records:
            placement = self._place_of(record)
            if placement is not None:
                self._planned.add(hash(placement.target))
                placements.append(placement)
            yield record

    def place(self, placements: Iterable[Placement]) -> None:
        """Put images where `note` found a place for them.

        Raises:
            OutputError: as `sort`.
        """
        with Manifest(self._folder) as manifest:
            for placement in placements:
                self._announce(placement, manifest)
                self._put(placement, manifest)

    def complete(self, path: str) -> None:
        """Place an image whose record an interrupted run wrote, if it did not come to that.

        Args:
            path: the input, as given.

        Raises:
            OutputError: it cannot be placed.
        """
        left = self._interrupted
        if left is None or left.source != _absolute(path) or not os.path.isfile(path):
            return
        self._interrupted = None
        remove_leftovers_once(Path(left.target).parent)
        if not os.path.lexists(left.target):
            try:
                os.makedirs(os.path.dirname(left.target), exist_ok=True)
                SORT_MODES[left.mode](left.source, left.target)
            except OSError as error:
                raise self._output_error(left, error) from error
            self.placed += 1
        elif left.mode == "move" and is_same_content(left.source, left.target):
            os.unlink(left.source)  # it had its new name, and still the old one

    def _place_of(self, record: Record) -> Placement | None:
        path = record.path
        is_file = path != "-" and not path.startswith(("http://", "https://"))
        if not is_file or not os.path.isfile(path):
            if record.status != "error":  # else its record says so
                self._skip(path, "it is no file")
            return None
        if self._mode == "move" and os.path.islink(path):
            self._skip(path, "a link that is moved loses its way; use another `sort_mode`")
            return None
        source = _absolute(path)
        best = record.predictions[0] if record.predictions else None
        name = self._names[ClassLabel(best.class_id, best.label)] if best else ERRORS
        folder = os.path.join(self._folder, UNKNOWN if record.status == "unknown" else name)
        if os.path.dirname(source) == folder:
            return None  # it is there
        target = self._free_name(os.path.join(folder, os.path.basename(path)))
        label, score = (best.label, best.score) if best else ("", None)
        return Placement(source, target, label, score, self._mode)

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

    def _announce(self, placement: Placement, manifest: Manifest) -> None:
        """Make the folder and write the line: whatever ends the run, `undo` knows of it."""
        folder = os.path.dirname(placement.target)
        try:
            os.makedirs(folder, exist_ok=True)
            if os.path.islink(folder):
                raise OutputError(f"{folder}: is a link out of the sorted folder; remove it")
            manifest.add(placement)
        except FileExistsError:
            raise OutputError(f"{folder}: is no folder; move it away") from None
        except OSError as error:
            raise self._output_error(placement, error) from error
        self.manifest = manifest.path

    def _put(self, placement: Placement, manifest: Manifest) -> None:
        try:
            SORT_MODES[placement.mode](placement.source, placement.target)
            self.placed += 1
        except FileExistsError:  # another run has just taken the name
            free = self._free_name(placement.target)
            self._put_otherwise(replace(placement, target=free), manifest)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise self._output_error(placement, error) from error
            if placement.mode == "link" and error.errno in _NO_LINKS:
                log.warning("%s: cannot be linked to from here; files are copied", placement.source)
                self._mode = "copy"
                self._put_otherwise(replace(placement, mode="copy"), manifest)
                return
            manifest.drop_last()
            gone = isinstance(error, FileNotFoundError)
            reason = "it is gone" if gone else (error.strerror or str(error)).lower()
            self._skip(placement.source, reason)

    def _put_otherwise(self, placement: Placement, manifest: Manifest) -> None:
        manifest.drop_last()
        self._announce(placement, manifest)
        self._put(placement, manifest)

    def _output_error(self, placement: Placement, error: OSError) -> OutputError:
        folder, reason = os.path.dirname(placement.target), error.strerror or str(error)
        done = f"; {self.manifest} lists what was done" if self.placed else ""
        return OutputError(
            f"{placement.source}: cannot be put into {folder}: {reason.lower()}{done}"
        )


def _absolute(path: str) -> str:
    """Return a path's absolute name; where it is a link itself, the link's."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))

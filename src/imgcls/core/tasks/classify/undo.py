"""Take back what a manifest lists."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.manifest import Placement, read_manifest
from imgcls.core.tasks.classify.placing import is_same_content, place_move


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one line of a manifest.

    Attributes:
        path: where the image was sorted to.
        source: where it came from.
        removed: whether it is removed from there, not moved back: a copy or a link.
        error: why it was not taken back; None if it was.
    """

    path: str
    source: str
    removed: bool
    error: str | None


def undo(manifest: str, *, dry_run: bool = False) -> Iterator[Undone]:
    """Move back what was moved and remove copies and links, the last first; yield what was done.

    Nothing is overwritten, and nothing is removed that is not still where it came from: a copy
    that was changed, or whose original was, stays. A line whose image is no longer where it was
    sorted to is passed over, so an undo that was interrupted can be run again.

    Args:
        manifest: the path of the file that sorting wrote.
        dry_run: only find out what would be done.

    Raises:
        UsageError: it is no manifest, or lists files that are not in its folder.
    """
    folder = os.path.join(os.path.realpath(os.path.dirname(manifest) or os.curdir), "")
    rows = read_manifest(manifest)
    for row in rows:
        inside = os.path.realpath(os.path.dirname(row.target)) + os.sep
        if not inside.startswith(folder):
            raise UsageError(
                f"{manifest}: lists {row.target}, which is not in its folder; put it back into "
                "the folder that it is the manifest of"
            )
    for row in reversed(rows):
        if os.path.lexists(row.target):
            yield Undone(row.target, row.source, row.mode != "move", _take_back(row, dry_run))
            if not dry_run:
                _remove_if_empty(os.path.dirname(row.target))


def _take_back(row: Placement, dry_run: bool) -> str | None:
    """Move an image back or remove it; return why that was not done."""
    try:
        reason = _what_hinders(row)
        if reason is None and not dry_run:
            if row.mode == "move":
                os.makedirs(os.path.dirname(row.source), exist_ok=True)
                place_move(row.target, row.source)
            else:
                os.unlink(row.target)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return reason


def _what_hinders(row: Placement) -> str | None:
    """Return why taking an image back would lose something; None if it would not."""
    source, target = row.source, row.target
    if row.mode == "move":
        return f"{source} is there" if os.path.lexists(source) else None
    if row.mode == "symlink":
        leads_there = os.path.islink(target) and os.readlink(target) == source
        return None if leads_there else f"no longer a link to {source}"
    if not os.path.isfile(source):
        return f"{source} is gone"
    if os.path.islink(target) or _is_same_name(source, target):  # removed it would be lost
        return f"no longer a {row.mode} of {source}"
    if row.mode == "link":
        same = os.path.samefile(source, target)
        return None if same else f"no longer a link to {source}"
    return None if is_same_content(source, target) else f"no longer the same as {source}"


def _is_same_name(source: str, target: str) -> bool:
    """Whether two paths are one name of one file, also where names ignore case."""
    if os.path.realpath(source) == os.path.realpath(target):
        return True
    return os.path.samefile(source, target) and os.stat(target).st_nlink == 1


def _remove_if_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        return  # others' files are in it

"""Results of other inputs are not replaced, but with `--force`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import IO, NamedTuple

from imgcls.core.errors import OutputError
from imgcls.core.output_file import linked_file
from imgcls.core.pixels.sources import Source
from imgcls.core.safe import printable
from imgcls.render.earlier import NamedInputs

# A file → the names of the inputs that it has, as `readable` returns them.
Names = Callable[[IO[bytes]], Iterator[str]]


class Earlier(NamedTuple):
    """A file of an earlier run that this one would replace.

    Attributes:
        path: the file.
        names: read the inputs that it has.
    """

    path: str
    names: Names


def part_of(output: str) -> str:
    """Return the name of the file in which an output grows."""
    return f"{linked_file(output)}.part"


def check_same_inputs(
    earlier: Iterable[Earlier],
    inputs: tuple[str, ...],
    sources: Iterator[Source],
    *,
    listed: bool,
    moved: bool = False,
    resumable: bool = False,
) -> Iterator[Source]:
    """Refuse to replace results of other inputs.

    The same inputs again replace theirs, also where a folder has fewer images now; but an image
    that is moved away is not there again.

    Args:
        earlier: what would be replaced; those that are no files are passed over.
        inputs: as the user named them.
        sources: what they stand for.
        listed: whether some are from a list, which can be read only once.
        moved: whether images are moved away.
        resumable: whether `--resume` would add to what is there.

    Returns:
        All the sources.

    Raises:
        OutputError: one has results of other inputs.
    """
    there = [one for one in earlier if os.path.isfile(one.path)]
    if not there:
        return sources
    known = list(sources) if listed else []
    named = NamedInputs(inputs, (source.name for source in known))
    for one in there:
        for name in _names(one):
            if not named.cover(name) or (moved and _is_gone(name)):
                also = ", --resume adds to it" if resumable else ""
                raise OutputError(
                    f"{one.path}: has results of other inputs ({printable(name)}); --force "
                    f"replaces it{also}"
                )
    return iter(known) if listed else sources


def _names(earlier: Earlier) -> Iterator[str]:
    import csv
    import zipfile

    with open(earlier.path, "rb") as file:
        try:
            yield from earlier.names(file)
        except (ValueError, KeyError, TypeError, EOFError, csv.Error, zipfile.BadZipFile):
            return  # of what a run or a user left incomplete, the rest


def _is_gone(name: str) -> bool:
    """Whether a record is of a file that is no longer there, as after it was moved."""
    return name != "-" and "://" not in name and not os.path.lexists(name)

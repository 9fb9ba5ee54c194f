"""What the files of heatmaps are called: never two the same, and each time the same."""

from __future__ import annotations

import hashlib
import os
import posixpath
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, count, islice

from imgcls.core.errors import OutputError, UsageError
from imgcls.core.pixels.sources import IMAGE_ENDINGS, Source
from imgcls.core.tasks.heatmap.picture_files import FORMATS, is_drawn_photo, not_ours

ENDING = ".heatmap.png"
ACTIVATIONS_ENDING = ".activations.png"
DRAWN_ENDING = ".predicted.jpg"


def name_outputs(
    sources: Iterable[Source], out: str | None, ending: str = ENDING
) -> Iterator[tuple[Source, str]]:
    """Pair each source with the file that its picture goes to.

    Args:
        sources: the images; read lazily.
        out: a file for one image, by its ending; else a folder, made when the first is written.
        ending: of the names in a folder.

    Raises:
        UsageError: `out` has the ending of a file that heatmaps are not written as, or is one
            file for several images.
        OutputError: `out` is something else than a folder or an earlier heatmap.
    """
    if out is None:
        raise UsageError("no output; name a file or a folder with `out`")
    stream = iter(sources)
    first = list(islice(stream, 2))
    if _is_file_name(out):
        if len(first) > 1 or (first and first[0].root):
            raise UsageError(
                f"{out}: is one file, and there may be several images; name a folder for them"
            )
        return ((source, _single(out)) for source in first)
    if os.path.lexists(out) and not os.path.isdir(out):
        raise OutputError(f"{out}: is a file; name a folder for the heatmaps of a folder or list")
    name = partial(_mirrored, out, ending, set())
    return ((source, name(source)) for source in chain(first, stream))


def name_drawn_photos(sources: Iterable[Source], folder: str) -> Iterator[tuple[Source, str]]:
    """Pair each source with the file that it is drawn to; what is there already is no one's.

    A file in the folder is written over only where it is an earlier drawing of the same photo.

    Args:
        sources: the images; read lazily.
        folder: made when the first is written.
    """
    taken: set[bytes] = set()

    for source in sources:
        subject = subject_of(source)

        def is_free(path: str, subject: str = subject) -> bool:
            return not os.path.lexists(path) or is_drawn_photo(path, subject)

        yield source, _mirrored(folder, DRAWN_ENDING, taken, source, is_free)


def subject_of(source: Source) -> str:
    """Return what a drawing says of the photo that it is of: a hash of its name, no path."""
    name = os.path.realpath(source.name) if source.kind in ("file", "missing") else source.name
    return hashlib.blake2b(os.fsencode(name), digest_size=16).hexdigest()


def _is_file_name(out: str) -> bool:
    """Whether a name is meant as a file: by its ending, unless there is such a folder.

    Raises:
        UsageError: the ending is that of a file, and not of one that is written.
    """
    ending = os.path.splitext(out)[1].lower()
    if os.path.isdir(out) or out.endswith(("/", os.sep)):
        return False
    # Letters alone: a folder may be called run.2 or photos.v2.
    if ending not in FORMATS and (ending in IMAGE_ENDINGS or ending[1:].isalpha()):
        raise UsageError(
            f"{out}: heatmaps are written as {', '.join(FORMATS)}; name such a file, or a folder "
            "that ends in /"
        )
    return ending in FORMATS


def _single(out: str) -> str:
    folder = os.path.dirname(out) or os.curdir
    if not os.path.isdir(folder):
        raise OutputError(f"{folder}: no such folder; make it first")
    if reason := not_ours(out):
        raise OutputError(f"{out}: {reason}")
    return out


def _mirrored(
    out: str,
    ending: str,
    taken: set[bytes],
    source: Source,
    is_free: Callable[[str], bool] = lambda path: True,
) -> str:
    """Return a name that no other source of this run has.

    STEM.heatmap.png; for a later one of the same stem its whole name goes in, and then a
    number. Of the names that are taken only short hashes are kept.
    """
    folder, name = os.path.split(_relative(source))
    stem = os.path.splitext(name)[0]
    candidates = chain([stem, name], (f"{name}.{number}" for number in count(2)))
    for candidate in candidates:
        path = os.path.join(out, folder, candidate + ending)
        key = hashlib.blake2b(os.fsencode(path).lower(), digest_size=8).digest()
        if key not in taken and is_free(path):
            taken.add(key)
            return path
    raise AssertionError("there is no end of numbers")


def _relative(source: Source) -> str:
    """Return where a source lies below the folder that was walked; its name if it was named."""
    if source.kind == "stdin":
        return "stdin"
    if source.kind in ("url", "store") and not source.root:
        path = urllib.parse.unquote(urllib.parse.urlsplit(source.name).path)
        # A name from the network: neither a path nor a control character comes through.
        name = posixpath.basename(path.rstrip("/"))
        return "".join(c for c in name if c.isprintable() and c not in '\\/:*?"<>|') or "image"
    if source.root:
        return os.path.relpath(source.name, source.root)
    return os.path.basename(source.name.rstrip("/")) or "image"

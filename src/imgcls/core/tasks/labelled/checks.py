"""The checks of a labelled folder: what is wrong with which of its files and folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from imgcls.core.tasks.labelled.dataset import Reason, hidden_folders
from imgcls.core.tasks.labelled.fingerprints import Fingerprint
from imgcls.core.tasks.labelled.inspection import InspectedDataset
from imgcls.core.tasks.labelled.names import is_utf8

# Fewer images than this teach a class badly.
TINY_CLASS = 20
# The largest class has this many times the images of the smallest.
IMBALANCE = 5.0
# Less than this many pixels on the shorter side, or a longer side of this many times that.
SMALL_SIDE = 32
# Of photos, 0 (black) to 255: nearly all is darker or lighter than this, or of one colour.
DARK, LIGHT, PLAIN = 50.0, 200.0, 6.0
# Of 900 photos none is below 0.26; blurred by a hundredth of their side, nearly all.
BLURRED = 0.2
LONG_SIDES = 4.0


class Found(NamedTuple):
    """What a check found at one place.

    Attributes:
        paths: the files or folders it is about.
        reason: why an image cannot be read; "" for other checks.
    """

    paths: list[str]
    reason: str = ""


# Yields each thing that is wrong.
Check = Callable[[InspectedDataset], Iterator[Found]]


def unreadable(inspected: InspectedDataset) -> Iterator[Found]:
    """Find images that cannot be read."""
    for example, fingerprint in inspected.pairs():
        if fingerprint.error:
            yield Found([example.path], fingerprint.error)


def conflicting(inspected: InspectedDataset) -> Iterator[Found]:
    """Find the same image under several labels."""
    for examples, _ in inspected.grouped():
        if len({example.label for example in examples}) > 1:
            yield Found([example.path for example in examples])


def leaks(inspected: InspectedDataset) -> Iterator[Found]:
    """Find the same image in several parts of the set."""
    for examples, _ in inspected.grouped():
        if len({example.split for example in examples}) > 1:
            yield Found([example.path for example in examples])


def repeated(*, exactly: bool) -> Check:
    """Return a check for an image that a class has again, as an equal file or nearly so."""

    def check(inspected: InspectedDataset) -> Iterator[Found]:
        for examples, exact in inspected.grouped():
            places = {(example.label, example.split) for example in examples}
            if len(places) < len(examples) and exact is exactly:
                yield Found([example.path for example in examples])

    return check


def bad_names(inspected: InspectedDataset) -> Iterator[Found]:
    """Find class folders whose names are no labels."""
    for part in inspected.dataset.parts:
        yield from (Found([part.place(name)]) for name in part.names if not is_utf8(name))


def one_class(inspected: InspectedDataset) -> Iterator[Found]:
    """Find a training set of a single class."""
    for part in inspected.dataset.parts:
        if len(part.labels) == 1 and part.split in ("all", "train"):
            yield Found([part.place(part.names[0])])


def empty(inspected: InspectedDataset) -> Iterator[Found]:
    """Find classes without an image that can be read."""
    counts = inspected.readable_counts()
    yield from (Found([folder]) for folder, count in counts.items() if count == 0)


def missing(inspected: InspectedDataset) -> Iterator[Found]:
    """Find classes that a part of the set does not have."""
    for part in inspected.dataset.parts:
        for label in inspected.dataset.labels:
            if label not in part.labels:
                yield Found([part.place(label)])


def tiny(inspected: InspectedDataset) -> Iterator[Found]:
    """Find classes of few images."""
    for folder, count in inspected.training_counts().items():
        if 0 < count < TINY_CLASS:
            yield Found([folder])


def imbalance(inspected: InspectedDataset) -> Iterator[Found]:
    """Find the largest and the smallest class where they differ much."""
    counts = {folder: count for folder, count in inspected.training_counts().items() if count}
    if counts and max(counts.values()) > IMBALANCE * min(counts.values()):
        yield Found([max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)])


def odd_sizes(inspected: InspectedDataset) -> Iterator[Found]:
    """Find images that are very small or very long."""
    for example, fingerprint in inspected.pairs():
        short, long = sorted((fingerprint.width, fingerprint.height))
        if not fingerprint.error and (short < SMALL_SIDE or long > LONG_SIDES * short):
            yield Found([example.path])


def _looks(condition: Callable[[Fingerprint], bool]) -> Check:
    """Return a check of how the picture looks; one that is all of a colour is only that."""

    def check(inspected: InspectedDataset) -> Iterator[Found]:
        for example, one in inspected.pairs():
            if not one.error and condition(one):
                yield Found([example.path])

    return check


def _plain(one: Fingerprint) -> bool:
    return one.contrast < PLAIN


blank = _looks(_plain)
dark = _looks(lambda one: one.lightest < DARK and not _plain(one))
overexposed = _looks(lambda one: one.darkest > LIGHT and not _plain(one))
blurred = _looks(lambda one: one.sharpness < BLURRED and not _plain(one))


def passed_over(reason: Reason) -> Check:
    """Return a check for what is not used for a reason."""

    def check(inspected: InspectedDataset) -> Iterator[Found]:
        for one in inspected.dataset.passed_over:
            if one.reason == reason:
                yield Found([one.path])

    return check


def hidden(inspected: InspectedDataset) -> Iterator[Found]:
    """Find hidden folders where class folders are."""
    yield from (Found([folder]) for folder in hidden_folders(inspected.dataset))

"""What can be wrong with a labelled folder: a row per kind, with the check that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from imgcls.core.tasks.labelled.dataset import Reason, hidden_folders
from imgcls.core.tasks.labelled.fingerprints import Fingerprint
from imgcls.core.tasks.labelled.inspection import InspectedDataset
from imgcls.core.tasks.labelled.names import is_utf8

Severity = Literal["error", "warning", "note"]

# A check yields the paths of each of its findings.
Check = Callable[[InspectedDataset], Iterator[list[str]]]

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


@dataclass(frozen=True)
class Kind:
    """One kind of finding.

    Attributes:
        severity: "error" spoils training or its figures, "warning" may, "note" is for knowing.
        one: what is said of one, behind its number.
        more: what is said of several.
        advice: what to do about it.
        check: finds it.
    """

    severity: Severity
    one: str
    more: str
    advice: str
    check: Check

    def found(self, count: int) -> str:
        """Return what is said of so many: "2 images appear under more than one label"."""
        return f"{count:,} {self.one if count == 1 else self.more}"


def _unreadable(inspected: InspectedDataset) -> Iterator[list[str]]:
    for example, fingerprint in inspected.pairs():
        if fingerprint.error:
            yield [example.path]


def _conflicting(inspected: InspectedDataset) -> Iterator[list[str]]:
    for examples, _ in inspected.grouped():
        if len({example.label for example in examples}) > 1:
            yield [example.path for example in examples]


def _leaks(inspected: InspectedDataset) -> Iterator[list[str]]:
    for examples, _ in inspected.grouped():
        if len({example.split for example in examples}) > 1:
            yield [example.path for example in examples]


def _repeated(*, exactly: bool) -> Check:
    def check(inspected: InspectedDataset) -> Iterator[list[str]]:
        for examples, exact in inspected.grouped():
            places = {(example.label, example.split) for example in examples}
            if len(places) < len(examples) and exact is exactly:
                yield [example.path for example in examples]

    return check


def _bad_names(inspected: InspectedDataset) -> Iterator[list[str]]:
    for part in inspected.dataset.parts:
        yield from ([part.place(name)] for name in part.names if not is_utf8(name))


def _one_class(inspected: InspectedDataset) -> Iterator[list[str]]:
    for part in inspected.dataset.parts:
        if len(part.labels) == 1 and part.split in ("all", "train"):
            yield [part.place(part.names[0])]


def _empty(inspected: InspectedDataset) -> Iterator[list[str]]:
    counts = inspected.readable_counts()
    yield from ([folder] for folder, count in counts.items() if count == 0)


def _missing(inspected: InspectedDataset) -> Iterator[list[str]]:
    for part in inspected.dataset.parts:
        for label in inspected.dataset.labels:
            if label not in part.labels:
                yield [part.place(label)]


def _tiny(inspected: InspectedDataset) -> Iterator[list[str]]:
    for folder, count in inspected.training_counts().items():
        if 0 < count < TINY_CLASS:
            yield [folder]


def _imbalance(inspected: InspectedDataset) -> Iterator[list[str]]:
    counts = {folder: count for folder, count in inspected.training_counts().items() if count}
    if counts and max(counts.values()) > IMBALANCE * min(counts.values()):
        yield [max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)]


def _odd_sizes(inspected: InspectedDataset) -> Iterator[list[str]]:
    for example, fingerprint in inspected.pairs():
        short, long = sorted((fingerprint.width, fingerprint.height))
        if not fingerprint.error and (short < SMALL_SIDE or long > LONG_SIDES * short):
            yield [example.path]


def _looks(condition: Callable[[Fingerprint], bool]) -> Check:
    """Return a check of how the picture looks; one that is all of a colour is only that."""

    def check(inspected: InspectedDataset) -> Iterator[list[str]]:
        for example, one in inspected.pairs():
            if not one.error and condition(one):
                yield [example.path]

    return check


def _plain(one: Fingerprint) -> bool:
    return one.contrast < PLAIN


def _passed_over(reason: Reason) -> Check:
    def check(inspected: InspectedDataset) -> Iterator[list[str]]:
        for one in inspected.dataset.passed_over:
            if one.reason == reason:
                yield [one.path]

    return check


def _hidden(inspected: InspectedDataset) -> Iterator[list[str]]:
    yield from ([folder] for folder in hidden_folders(inspected.dataset))


KINDS: Mapping[str, Kind] = {
    "unreadable": Kind(
        "error",
        "image cannot be read",
        "images cannot be read",
        "replace or delete it, or let finetune leave it out",
        _unreadable,
    ),
    "conflicting-labels": Kind(
        "error",
        "image appears under more than one label",
        "images appear under more than one label",
        "keep each image under its right label only",
        _conflicting,
    ),
    "leak": Kind(
        "error",
        "image is in training and in validation or test",
        "images are in training and in validation or test",
        "delete it from one of them: accuracy on images seen in training is too high",
        _leaks,
    ),
    "class-name": Kind(
        "error",
        "class folder has a name that is not UTF-8",
        "class folders have names that are not UTF-8",
        "rename it; finetune cannot make a label of it",
        _bad_names,
    ),
    "one-class": Kind(
        "error",
        "class is the only one",
        "classes are the only ones",
        "a classifier needs two; if the folder holds class folders, name it instead",
        _one_class,
    ),
    "empty-class": Kind(
        "error",
        "class has no images",
        "classes have no images",
        "add images or remove the class",
        _empty,
    ),
    "missing-class": Kind(
        "error",
        "class is not in every part of the set",
        "classes are not in every part of the set",
        "a class must be in training, and in validation or test to be measured",
        _missing,
    ),
    "linked-folder": Kind(
        "warning",
        "folder is a link and passed over",
        "folders are links and passed over",
        "put the folder itself in its place to use its images",
        _passed_over("linked-folder"),
    ),
    "loose-image": Kind(
        "warning",
        "image beside the class folders is not used",
        "images beside the class folders are not used",
        "move it into the folder of its class, or delete it",
        _passed_over("loose-image"),
    ),
    "unused-folder": Kind(
        "warning",
        "folder beside the training folder is not used",
        "folders beside the training folder are not used",
        "move its images into the class folders, or name it on its own",
        _passed_over("unused-folder"),
    ),
    "duplicates": Kind(
        "warning",
        "image is there more than once",
        "images are there more than once",
        "keep one of them",
        _repeated(exactly=True),
    ),
    "near-duplicates": Kind(
        "warning",
        "image is there again, nearly the same",
        "images are there again, nearly the same",
        "keep one of them unless they show different things",
        _repeated(exactly=False),
    ),
    "tiny-class": Kind(
        "warning",
        f"class has fewer than {TINY_CLASS} images",
        f"classes have fewer than {TINY_CLASS} images",
        "add images of this class",
        _tiny,
    ),
    "imbalance": Kind(
        "warning",
        "pair of classes differs much in size",
        "pairs of classes differ much in size",
        "add images to the small ones, or let finetune weight the classes",
        _imbalance,
    ),
    "odd-size": Kind(
        "warning",
        "image is very small or very long",
        "images are very small or very long",
        "look at it: little of it reaches the network",
        _odd_sizes,
    ),
    "blank": Kind(
        "warning",
        "picture is of a single colour",
        "pictures are of a single colour",
        "delete it: nothing is on it",
        _looks(_plain),
    ),
    "dark": Kind(
        "warning",
        "photo is almost black",
        "photos are almost black",
        "look at it: delete it, or brighten it",
        _looks(lambda one: one.lightest < DARK and not _plain(one)),
    ),
    "overexposed": Kind(
        "warning",
        "photo is almost white",
        "photos are almost white",
        "look at it: delete it if its subject is lost",
        _looks(lambda one: one.darkest > LIGHT and not _plain(one)),
    ),
    "blurred": Kind(
        "warning",
        "photo is blurred",
        "photos are blurred",
        "look at it: delete it if its subject cannot be told",
        _looks(lambda one: one.sharpness < BLURRED and not _plain(one)),
    ),
    "doubtful-label": Kind(
        "warning",
        "label is contradicted by its photo",
        "labels are contradicted by their photos, the most doubtful first",
        "look at it: move it if it is in the wrong folder",
        lambda _: iter(()),  # needs a network: core/tasks/auditing/labels.py
    ),
    "hidden-folder": Kind(
        "note",
        "hidden folder is passed over",
        "hidden folders are passed over",
        "delete it if it is left over",
        _hidden,
    ),
}

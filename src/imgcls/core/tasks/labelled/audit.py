"""Find what is wrong with a labelled folder before a model is trained on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from imgcls.core.tasks.labelled.dataset import Dataset, Example, hidden_folders, read_dataset
from imgcls.core.tasks.labelled.fingerprints import Fingerprint, fingerprints, same_pictures

Severity = Literal["error", "warning", "note"]

# Fewer images than this teach a class badly.
TINY_CLASS = 20
# The largest class has this many times the images of the smallest.
IMBALANCE = 5.0
# Less than this many pixels on the shorter side, or a longer side of this many times that.
SMALL_SIDE = 32
LONG_SIDES = 4.0


@dataclass(frozen=True)
class Kind:
    """One kind of finding.

    Attributes:
        severity: "error" spoils training or its figures, "warning" may, "note" is for knowing.
        title: what it is, for people.
        advice: what to do about it.
    """

    severity: Severity
    title: str
    advice: str


KINDS: Mapping[str, Kind] = {
    "unreadable": Kind(
        "error",
        "cannot be read",
        "replace or delete them; finetune --skip-bad leaves them out",
    ),
    "conflicting-labels": Kind(
        "error",
        "the same image under different labels",
        "keep each image under its right label only",
    ),
    "leak": Kind(
        "error",
        "the same image in training and in validation or test",
        "delete it from one of them: accuracy on images seen in training is too high",
    ),
    "empty-class": Kind("error", "class without images", "add images or remove the folder"),
    "missing-class": Kind(
        "error",
        "class that is not in every part of the set",
        "a class must be in training, and in validation or test to be measured",
    ),
    "duplicates": Kind("warning", "the same image more than once", "keep one of them"),
    "near-duplicates": Kind(
        "warning",
        "nearly the same image more than once",
        "keep one of them unless they show different things",
    ),
    "tiny-class": Kind(
        "warning", f"class of fewer than {TINY_CLASS} images", "add images of this class"
    ),
    "imbalance": Kind(
        "warning",
        "classes of very different size",
        "add images to the small ones, or use finetune --class-weights",
    ),
    "odd-size": Kind(
        "warning",
        f"shorter side under {SMALL_SIDE} pixels, or sides of more than 1 to {LONG_SIDES:.0f}",
        "look at them: little of them reaches the network",
    ),
    "hidden-folder": Kind("note", "hidden folder, passed over", "delete it if it is left over"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: a row of `KINDS`.
        severity: "error", "warning" or "note".
        paths: the files or folders it is about.
        advice: what to do about it.
    """

    kind: str
    severity: Severity
    paths: tuple[str, ...]
    advice: str


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        images: how many were looked at, unreadable ones too.
        classes: how many images each class has.
        findings: in the order of `KINDS`.
    """

    images: int
    classes: Mapping[str, int]
    findings: tuple[Finding, ...]

    def count(self, kind: str) -> int:
        """Return how many findings are of a kind."""
        return sum(finding.kind == kind for finding in self.findings)


@dataclass(frozen=True)
class Surveyed:
    """A labelled folder with what is known of each image.

    Attributes:
        dataset: the folder.
        examples: its images.
        marks: their fingerprints, in the same order.
        groups: positions of images that show the same picture, exactly or nearly.
    """

    dataset: Dataset
    examples: Sequence[Example]
    marks: Sequence[Fingerprint]
    groups: Sequence[Sequence[int]]


def audit(folder: str | os.PathLike[str]) -> AuditReport:
    """Find what is wrong with a labelled folder; nothing in it is changed.

    Args:
        folder: class folders, or train beside val or test folders that hold them.

    Raises:
        UsageError: it is no labelled folder.

    Example:
        >>> import imgcls
        >>> report = imgcls.audit("photos")
        >>> report.images, dict(report.classes)
        (24, {'squares': 12, 'stripes': 12})
    """
    dataset = read_dataset(folder)
    return report(survey(dataset, dataset.examples()))


def survey(dataset: Dataset, examples: Iterator[Example]) -> Surveyed:
    """Take the fingerprint of every image and find those that show the same picture."""
    listed = list(examples)
    marks = list(fingerprints(example.source for example in listed))
    return Surveyed(dataset, listed, marks, same_pictures(marks))


def report(surveyed: Surveyed) -> AuditReport:
    """Say what is wrong with a surveyed folder."""
    classes = Counter(dict.fromkeys(surveyed.dataset.labels, 0))
    classes.update(example.label for example in surveyed.examples)
    findings = tuple(
        Finding(kind, row.severity, tuple(paths), row.advice)
        for kind, row in KINDS.items()
        for paths in _CHECKS[kind](surveyed)
    )
    return AuditReport(len(surveyed.examples), dict(classes), findings)


# A check yields the paths of each of its findings.


def _unreadable(surveyed: Surveyed) -> Iterator[list[str]]:
    for example, mark in zip(surveyed.examples, surveyed.marks, strict=True):
        if mark.error:
            yield [example.path]


def _grouped(surveyed: Surveyed) -> Iterator[tuple[list[Example], bool]]:
    """Yield the images of each group, and whether their files are equal."""
    for group in surveyed.groups:
        digests = {surveyed.marks[position].digest for position in group}
        yield [surveyed.examples[position] for position in group], len(digests) == 1


def _conflicting(surveyed: Surveyed) -> Iterator[list[str]]:
    for examples, _ in _grouped(surveyed):
        if len({example.label for example in examples}) > 1:
            yield [example.path for example in examples]


def _leaks(surveyed: Surveyed) -> Iterator[list[str]]:
    for examples, _ in _grouped(surveyed):
        if len({example.split for example in examples}) > 1:
            yield [example.path for example in examples]


def _repeated(surveyed: Surveyed, *, exactly: bool) -> Iterator[list[str]]:
    for examples, exact in _grouped(surveyed):
        places = {(example.label, example.split) for example in examples}
        if len(places) < len(examples) and exact is exactly:
            yield [example.path for example in examples]


def _counts(surveyed: Surveyed) -> dict[str, int]:
    """Return how many readable images each class folder has."""
    counts = {
        os.path.join(part.folder, label): 0
        for part in surveyed.dataset.parts
        for label in part.labels
    }
    folders = {part.split: part.folder for part in surveyed.dataset.parts}
    for example, mark in zip(surveyed.examples, surveyed.marks, strict=True):
        counts[os.path.join(folders[example.split], example.label)] += not mark.error
    return counts


def _empty(surveyed: Surveyed) -> Iterator[list[str]]:
    yield from ([folder] for folder, count in _counts(surveyed).items() if count == 0)


def _missing(surveyed: Surveyed) -> Iterator[list[str]]:
    for part in surveyed.dataset.parts:
        for label in surveyed.dataset.labels:
            if label not in part.labels:
                yield [os.path.join(part.folder, label)]


def _tiny(surveyed: Surveyed) -> Iterator[list[str]]:
    for folder, count in _training_counts(surveyed).items():
        if 0 < count < TINY_CLASS:
            yield [folder]


def _imbalance(surveyed: Surveyed) -> Iterator[list[str]]:
    counts = {folder: count for folder, count in _training_counts(surveyed).items() if count}
    if counts and max(counts.values()) > IMBALANCE * min(counts.values()):
        yield [max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)]


def _training_counts(surveyed: Surveyed) -> dict[str, int]:
    part = surveyed.dataset.part("train") or surveyed.dataset.parts[0]
    folders = {os.path.join(part.folder, label) for label in part.labels}
    return {folder: count for folder, count in _counts(surveyed).items() if folder in folders}


def _odd_sizes(surveyed: Surveyed) -> Iterator[list[str]]:
    for example, mark in zip(surveyed.examples, surveyed.marks, strict=True):
        short, long = sorted((mark.width, mark.height))
        if not mark.error and (short < SMALL_SIDE or long > LONG_SIDES * short):
            yield [example.path]


def _hidden(surveyed: Surveyed) -> Iterator[list[str]]:
    yield from ([folder] for folder in hidden_folders(surveyed.dataset))


_CHECKS: Mapping[str, Callable[[Surveyed], Iterator[list[str]]]] = {
    "unreadable": _unreadable,
    "conflicting-labels": _conflicting,
    "leak": _leaks,
    "empty-class": _empty,
    "missing-class": _missing,
    "duplicates": lambda surveyed: _repeated(surveyed, exactly=True),
    "near-duplicates": lambda surveyed: _repeated(surveyed, exactly=False),
    "tiny-class": _tiny,
    "imbalance": _imbalance,
    "odd-size": _odd_sizes,
    "hidden-folder": _hidden,
}

"""Which images are learned and which are set aside, after a look at all of them."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import ImageError, UsageError
from imgcls.core.models.model_file import check_labels
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.labelled.audit import KINDS, Surveyed, report, survey
from imgcls.core.tasks.labelled.dataset import Dataset, Part, Split, read_dataset
from imgcls.core.tasks.training.batches import Columns
from imgcls.core.tasks.training.split import stratified_split

log = logging.getLogger("imgcls")


@dataclass(frozen=True)
class LabelledImages:
    """Images of one side.

    Attributes:
        sources: the images.
        digests: SHA-256 of their files.
        columns: the class of each, int64 (n,).
    """

    sources: Sequence[Source]
    digests: Sequence[str]
    columns: Columns


@dataclass(frozen=True)
class Selection:
    """What a training is about.

    Attributes:
        labels: of the classes, in the order of the columns.
        training: images to learn.
        validation: images to choose the best epoch by.
        unreadable: how many images were left out.
    """

    labels: tuple[str, ...]
    training: LabelledImages
    validation: LabelledImages
    unreadable: int

    @property
    def counts(self) -> dict[str, int]:
        """How many training images each class has."""
        found = Counter(self.training.columns.tolist())
        return {label: found[column] for column, label in enumerate(self.labels)}

    @property
    def digest(self) -> str:
        """A hash of all images, labels and sides."""
        facts = [
            f"{digest} {column}"
            for side in (self.training, self.validation)
            for digest, column in zip(side.digests, side.columns.tolist(), strict=True)
        ]
        content = repr((self.labels, len(self.training.sources), facts))
        return hashlib.sha256(content.encode()).hexdigest()

    def class_weights(self) -> Float32Array:
        """Return n / (classes · n of the class), (classes,), so that all classes count alike."""
        counts = np.array(list(self.counts.values()), np.float32)
        weights: Float32Array = counts.sum() / (len(counts) * np.maximum(counts, 1))
        return weights


def select_images(
    folder: str | os.PathLike[str],
    validation: str | os.PathLike[str] | None,
    val_split: float | None,
    *,
    fraction: float,
    seed: int,
    skip_bad: bool,
) -> Selection:
    """Look at all images, warn of what an audit finds, and choose the two sides.

    Args:
        folder: class folders, or train beside val or test folders that hold them.
        validation: a folder of class folders to validate on, instead.
        val_split: asked for outright: set aside a part of the training images although there
            is a val or test folder; None: only if there is none.
        fraction: the part that is set aside.
        seed: of the split.
        skip_bad: whether unreadable images are left out.

    Raises:
        ImageError: there are unreadable images; each was reported.
        UsageError: the folders are no labelled folders, or do not fit each other.
    """
    dataset = _chosen(read_dataset(folder), validation, split=val_split is not None)
    surveyed = survey(dataset, dataset.examples())
    unreadable = _report_unreadable(surveyed, skip_bad=skip_bad)
    _report_short(surveyed)
    labels = _labels(surveyed)
    columns = {label: column for column, label in enumerate(labels)}
    readable = [p for p, mark in enumerate(surveyed.marks) if not mark.error]
    if dataset.part("validation"):
        sides = [
            [p for p in readable if surveyed.examples[p].split == split]
            for split in ("train", "validation")
        ]
    else:
        sides = _split(surveyed, readable, fraction, seed)
    if not all(sides):
        raise UsageError(f"{folder}: no images to validate on; add images, or name --validation")
    training, aside = (_side(surveyed, positions, columns) for positions in sides)
    return Selection(labels, training, aside, unreadable)


def _chosen(dataset: Dataset, validation: str | os.PathLike[str] | None, *, split: bool) -> Dataset:
    """Return a dataset of the parts "train" and, where there is one, "validation"."""
    learned = dataset.part("train") or dataset.parts[0]
    parts = [replace(learned, split="train")]
    aside: Part | None = None
    if validation is not None:
        given = read_dataset(validation)
        if len(given.parts) > 1:
            raise UsageError(f"{given.folder}: holds several parts; name one of its folders")
        aside = given.parts[0]
    elif not split:
        aside = dataset.part("validation") or dataset.part("test")
    if aside is not None:
        unknown = sorted(set(aside.labels) - set(learned.labels))
        if unknown:
            raise UsageError(
                f"{aside.folder}: class {unknown[0]} is not in {learned.folder}; the class "
                "folders of both must have the same names"
            )
        part: Split = "validation"
        parts.append(replace(aside, split=part))
    return Dataset(dataset.folder, tuple(parts))


def _report_unreadable(surveyed: Surveyed, *, skip_bad: bool) -> int:
    bad = [
        (example.path, mark.error)
        for example, mark in zip(surveyed.examples, surveyed.marks, strict=True)
        if mark.error
    ]
    for path, error in bad:
        log.log(logging.WARNING if skip_bad else logging.ERROR, "%s: %s", path, error)
    if bad and not skip_bad:
        first = ", ".join(os.path.basename(path) for path, _ in bad[:3])
        raise ImageError(
            f"{len(bad)} of {len(surveyed.marks)} images cannot be read ({first}"
            f"{', …' if len(bad) > 3 else ''}); mend or delete them, or use --skip-bad"
        )
    return len(bad)


def _report_short(surveyed: Surveyed) -> None:
    """Say in a line what an audit finds; unreadable images were reported one by one."""
    found = Counter(finding.kind for finding in report(surveyed).findings)
    serious = [
        f"{kind} ({found[kind]})"
        for kind, row in KINDS.items()
        if found[kind] and row.severity != "note" and kind != "unreadable"
    ]
    if serious:
        log.warning(
            "the images have %s; imgcls audit %s says more",
            ", ".join(serious),
            surveyed.dataset.folder,
        )


def _labels(surveyed: Surveyed) -> tuple[str, ...]:
    """Return the classes that have images to learn."""
    found = {
        example.label
        for example, mark in zip(surveyed.examples, surveyed.marks, strict=True)
        if example.split == "train" and not mark.error
    }
    try:
        return check_labels(sorted(found))
    except ValueError as error:
        raise UsageError(f"{surveyed.dataset.folder}: {error}; see to its class folders") from None


def _split(surveyed: Surveyed, readable: list[int], fraction: float, seed: int) -> list[list[int]]:
    place = {position: index for index, position in enumerate(readable)}
    groups = [[place[position] for position in group] for group in surveyed.groups]
    labels = [surveyed.examples[position].label for position in readable]
    sides = stratified_split(labels, groups, fraction, seed)
    return [[readable[index] for index in side] for side in sides]


def _side(surveyed: Surveyed, positions: Sequence[int], columns: dict[str, int]) -> LabelledImages:
    known = [p for p in positions if surveyed.examples[p].label in columns]
    return LabelledImages(
        [surveyed.examples[p].source for p in known],
        [surveyed.marks[p].digest for p in known],
        np.array([columns[surveyed.examples[p].label] for p in known], np.int64),
    )

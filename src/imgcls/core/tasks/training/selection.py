"""Which images are learned and which are set aside, after a look at all of them."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.errors import ImageError, UsageError
from imgcls.core.pixels.source import Source
from imgcls.core.processor import usable_cores
from imgcls.core.tasks.labelled.audit import report
from imgcls.core.tasks.labelled.dataset import Dataset
from imgcls.core.tasks.labelled.findings import KINDS
from imgcls.core.tasks.labelled.inspection import InspectedDataset, inspect
from imgcls.core.tasks.training.batches import Columns
from imgcls.core.tasks.training.features import features_ahead
from imgcls.core.tasks.training.folds import assign_folds
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.split import stratified_split
from imgcls.core.words import counted, listed

log = logging.getLogger("imgcls")

_REPORTED = ("unreadable", "linked-folder", "loose-image", "unused-folder")


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
        fold_of: of each training image, from 0; None without folds. With folds all images are
            learned, and those of `validation` are a part of them.
    """

    labels: tuple[str, ...]
    training: LabelledImages
    validation: LabelledImages
    unreadable: int
    fold_of: Columns | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many training images each class has."""
        found = Counter(self.training.columns.tolist())
        return {label: found[column] for column, label in enumerate(self.labels)}

    @property
    def sides(self) -> tuple[LabelledImages, LabelledImages]:
        """The images to learn, and those to choose by."""
        return self.training, self.validation

    @property
    def digest(self) -> str:
        """A hash of all images, labels and sides."""
        facts = [
            f"{digest} {column}"
            for side in self.sides
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
    dataset: Dataset, options: FinetuneOptions, model: Model | None = None
) -> Selection:
    """Look at all images, warn of what an audit finds, and choose the two sides.

    Args:
        dataset: of `chosen_parts`.
        options: `validation` names another folder or table to validate on; `val_split`, if given,
            sets aside a part of the training images although there is a validation or test part.
        model: the backbone, which computes features meanwhile; None if none is needed.

    Raises:
        ImageError: there are unreadable images; each was reported.
        UsageError: there is no image to validate on.
    """
    if model is None:
        inspected = inspect(dataset)
    else:
        with features_ahead(model, (example.source for example in dataset.examples())):
            inspected = inspect(dataset, workers=max(1, usable_cores() // 2))  # of as many cores
    unreadable = _report_unreadable(inspected, skip_bad=options.skip_bad)
    _report_short(inspected)
    labels = _labels(inspected)
    columns = {label: column for column, label in enumerate(labels)}
    readable = [p for p, one in enumerate(inspected.fingerprints) if not one.error]
    if dataset.part("validation"):
        sides = [
            [p for p in readable if inspected.examples[p].split == split]
            for split in ("train", "validation")
        ]
    else:
        sides = _split(inspected, readable, options.fraction, options.seed)
    if not all(sides):
        raise UsageError(
            f"{dataset.folder}: no images to validate on; add images, or name `validation`"
        )
    if options.folds is not None:
        sides[0] = readable
    training, aside = (_side(inspected, positions, columns) for positions in sides)
    _report_unvalidated(labels, aside)
    fold_of = _folds(inspected, readable, options)
    return Selection(labels, training, aside, unreadable, fold_of)


def _report_unvalidated(labels: tuple[str, ...], aside: LabelledImages) -> None:
    """Name the classes that no validation image shows."""
    shown = set(aside.columns.tolist())
    missing = [label for column, label in enumerate(labels) if column not in shown]
    if missing:
        log.warning(
            "no validation image shows %s: what is said of accuracy says nothing of %s; add images",
            ", ".join(missing),
            "it" if len(missing) == 1 else "them",
        )


def _folds(
    inspected: InspectedDataset, readable: list[int], options: FinetuneOptions
) -> Columns | None:
    """Return the fold of each image; images of one picture are in the same.

    Raises:
        UsageError: there are more folds than images.
    """
    if options.folds is None:
        return None
    if len(readable) < options.folds:
        raise UsageError(
            f"{inspected.dataset.folder}: {counted(len(readable), 'image')} cannot make "
            f"{options.folds} `folds`; add images"
        )
    place = {position: index for index, position in enumerate(readable)}
    groups = [[place[position] for position in group] for group in inspected.groups]
    labels = [inspected.examples[position].label for position in readable]
    return assign_folds(labels, groups, options.folds, options.seed)


def _report_unreadable(inspected: InspectedDataset, *, skip_bad: bool) -> int:
    bad = [(example.path, one.error) for example, one in inspected.pairs() if one.error]
    for path, error in bad:
        log.log(logging.WARNING if skip_bad else logging.ERROR, "%s: %s", path, error)
    if bad and not skip_bad:
        first = ", ".join(os.path.basename(path) for path, _ in bad[:3])
        raise ImageError(
            f"{len(bad)} of {counted(len(inspected.examples), 'image')} cannot be read ({first}"
            f"{', …' if len(bad) > 3 else ''}); repair or delete them, or use `skip_bad`"
        )
    return len(bad)


def _report_short(inspected: InspectedDataset) -> None:
    """Say in a line what an audit finds, but for what was said in lines of their own."""
    found = Counter(finding.kind for finding in report(inspected).findings)
    serious = [
        kind.found(found[name])
        for name, kind in KINDS.items()
        if found[name] and kind.severity != "note" and name not in _REPORTED
    ]
    if serious:
        log.warning(
            "%s; run imgcls audit %s for details",
            listed(serious),
            inspected.dataset.folder,
        )


def _labels(inspected: InspectedDataset) -> tuple[str, ...]:
    """Return the classes that have images to learn."""
    found = {
        example.label
        for example, one in inspected.pairs()
        if example.split == "train" and not one.error
    }
    if len(found) < 2:
        count = f"only one class has images ({found.pop()})" if found else "no class has images"
        raise UsageError(
            f"{inspected.dataset.folder}: {count} to learn; a classifier needs two classes"
        )
    return tuple(sorted(found))


def _split(
    inspected: InspectedDataset, readable: list[int], fraction: float, seed: int
) -> list[list[int]]:
    place = {position: index for index, position in enumerate(readable)}
    groups = [[place[position] for position in group] for group in inspected.groups]
    labels = [inspected.examples[position].label for position in readable]
    sides = stratified_split(labels, groups, fraction, seed)
    return [[readable[index] for index in side] for side in sides]


def _side(
    inspected: InspectedDataset, positions: Sequence[int], columns: dict[str, int]
) -> LabelledImages:
    known = [p for p in positions if inspected.examples[p].label in columns]
    return LabelledImages(
        [inspected.examples[p].source for p in known],
        [inspected.fingerprints[p].digest for p in known],
        np.array([columns[inspected.examples[p].label] for p in known], np.int64),
    )

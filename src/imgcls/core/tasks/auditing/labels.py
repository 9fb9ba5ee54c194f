"""Find labels that the photos contradict, by what a classifier says that did not learn them."""

from __future__ import annotations

import logging

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.engines.model import Model
from imgcls.core.errors import ImageError
from imgcls.core.progress import progress
from imgcls.core.tasks.features.computing import Wanted, compute_features
from imgcls.core.tasks.labelled.audit import Finding
from imgcls.core.tasks.labelled.findings import KINDS
from imgcls.core.tasks.labelled.inspection import InspectedDataset
from imgcls.core.tasks.training.batches import Columns, FixedFeatures
from imgcls.core.tasks.training.folds import HeadRecipe, assign_folds, out_of_fold

log = logging.getLogger("imgcls")

_KIND = "doubtful-label"
_FOLDS = 5
_LEAST = 4 * _FOLDS  # photos; of fewer no fold says anything


def doubtful_labels(inspected: InspectedDataset, model: Model) -> list[Finding]:
    """Return the photos whose label is in doubt, the most doubtful first.

    A linear classifier on features is trained for each fifth of the photos on the other four;
    copies of a photo are never on both sides. This is confident learning (Northcutt et al. 2021,
    https://arxiv.org/abs/1911.00068): see `contradicted`.

    Args:
        inspected: the labelled folder; all its parts count.
        model: whose features are used.
    """
    positions, rows = _features(inspected, model)
    labels = [inspected.examples[position].label for position in positions]
    names = sorted(set(labels))
    if len(names) < 2 or len(labels) < _LEAST:
        log.warning("%s: too few photos or classes to check the labels", inspected.dataset.folder)
        return []
    columns = np.array([names.index(label) for label in labels], np.int64)
    place = {position: index for index, position in enumerate(positions)}
    groups = [[place[p] for p in group if p in place] for group in inspected.groups]
    folds = assign_folds(labels, [group for group in groups if group], _FOLDS, seed=0)
    photos = FixedFeatures(rows, columns)
    scores = softmax(out_of_fold(HeadRecipe(len(names)), photos, folds).logits)
    return [
        _finding(inspected.examples[positions[index]].path, labels[index], names[other], score)
        for index, other, score in contradicted(scores, columns)
    ]


def contradicted(scores: Float32Array, columns: Columns) -> list[tuple[int, int, float]]:
    """Return the photos for which another class scores best, the most doubtful first.

    They are ranked by how much that class is above the label (the normalized margin of Northcutt
    et al.). Only those are left out of which the classifier is less sure than of the label: a
    stricter limit would lose a fifth of the wrong labels and half of the false alarms, which lie
    at the end of the list.

    Args:
        scores: of photos by a classifier that did not learn them, (n, classes).
        columns: their labels, (n,).

    Returns:
        Position, the class that it seems to be, and the score of that class.
    """
    places = np.arange(len(columns))
    best = scores.argmax(axis=1)
    margin = scores[places, columns] - scores[places, best]
    doubtful = np.flatnonzero(margin < 0)
    ranked = doubtful[np.argsort(margin[doubtful], kind="stable")].tolist()
    return [(index, int(best[index]), float(scores[index, best[index]])) for index in ranked]


def _features(inspected: InspectedDataset, model: Model) -> tuple[list[int], Float32Array]:
    """Return the positions of the photos that have features, and those, (n, d)."""
    readable = [position for position, one in enumerate(inspected.fingerprints) if not one.error]
    wanted = [
        Wanted(inspected.examples[position].source, inspected.fingerprints[position].digest)
        for position in readable
    ]
    computed = compute_features(model, model.preprocessing, wanted)
    shown = progress(computed, "feature", len(wanted))
    found = [
        (position, one.features)
        for position, one in zip(readable, shown, strict=True)
        if not isinstance(one.features, ImageError)
    ]
    if not found:
        return [], np.zeros((0, 1), np.float32)
    return [position for position, _ in found], np.stack([row for _, row in found])


def _finding(path: str, label: str, proposed: str, score: float) -> Finding:
    return Finding(
        _KIND,
        KINDS[_KIND].severity,
        paths=(path,),
        advice="look at it: move it if it is in the wrong folder",
        label=label,
        proposed=proposed,
        score=score,
    )

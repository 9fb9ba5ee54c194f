"""How right a classifier is, and how well it knows: figures from its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

CALIBRATION_BINS = 15
MIN_CONFIDENCES = (*(step / 20 for step in range(20)), 0.99)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How well one class is found; averages over classes have the same figures.

    Attributes:
        label: the class.
        precision: the share of those predicted as it that are it, 0 to 1.
        recall: the share of those of it that were predicted as it, 0 to 1.
        f1: the harmonic mean of the two, 0 to 1.
        support: how many images are of it.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The images whose best score lies above `lower` and not above `upper`.

    Attributes:
        lower: score, 0 to 1.
        upper: score, 0 to 1.
        images: how many there are.
        confidence: their mean best score; 0 where there are none.
        accuracy: the share of them that is right; 0 where there are none.
    """

    lower: float
    upper: float
    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a least confidence would do.

    Attributes:
        min_confidence: the least best score that is not "unknown".
        coverage: the share of images that reach it, 0 to 1.
        accuracy: the share of those that is right, 0 to 1; None where there are none.
    """

    min_confidence: float
    coverage: float
    accuracy: float | None


def confusion(actual: Ints, predicted: Ints, columns: Sequence[int]) -> Ints:
    """Count the images of each class (rows) that were predicted as each (columns).

    Args:
        actual: class indexes (n,).
        predicted: class indexes (n,).
        columns: the classes in the order of the matrix; every index is among them.

    Returns:
        int64 (classes, classes).
    """
    matrix: Ints = np.zeros((len(columns), len(columns)), np.int64)
    places = {column: place for place, column in enumerate(columns)}
    rows, answers = ([places[one] for one in ones.tolist()] for ones in (actual, predicted))
    np.add.at(matrix, (rows, answers), 1)
    return matrix


def per_class(
    actual: Ints, predicted: Ints, columns: Sequence[int], labels: Sequence[str]
) -> list[ClassScores]:
    """Return precision, recall and F1 of each class; 0 where one is not defined.

    Args:
        actual: class indexes (n,).
        predicted: class indexes (n,).
        columns: the classes wanted.
        labels: their names.
    """
    from sklearn.metrics import precision_recall_fscore_support

    figures = precision_recall_fscore_support(actual, predicted, labels=columns, zero_division=0)
    rows = zip(labels, *(column.tolist() for column in figures), strict=True)
    return [ClassScores(*row) for row in rows]


def averages(classes: Sequence[ClassScores]) -> tuple[ClassScores, ClassScores]:
    """Return the plain mean over the classes and the mean weighted by their support."""
    figures = np.array([(one.precision, one.recall, one.f1) for one in classes])  # (classes, 3)
    support = np.array([one.support for one in classes])
    images = int(support.sum())

    def mean(label: str, weights: Ints | None) -> ClassScores:
        precision, recall, f1 = np.average(figures, axis=0, weights=weights).tolist()
        return ClassScores(label, precision, recall, f1, images)

    return mean("macro", None), mean("weighted", support)


def calibration(
    confidence: Floats, right: Bools, bins: int = CALIBRATION_BINS
) -> list[CalibrationBin]:
    """Sort images into bins of equal width by their best score.

    Args:
        confidence: the best scores (n,), 0 to 1.
        right: whether the best class is the actual one (n,).
        bins: how many.
    """
    edges = np.linspace(0, 1, bins + 1)
    inside = np.digitize(confidence, edges[1:-1], right=True)  # (n,), 0 to bins − 1
    images = np.bincount(inside, minlength=bins)
    filled = np.maximum(images, 1)
    mean = np.bincount(inside, weights=confidence, minlength=bins) / filled
    accuracy = np.bincount(inside, weights=right, minlength=bins) / filled
    columns = (edges[:-1], edges[1:], images, mean, accuracy)
    return [CalibrationBin(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Return the mean difference of accuracy and confidence, each bin weighted by its images.

    Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017,
    equation 3.
    """
    images = sum(one.images for one in bins)
    return sum(one.images * abs(one.accuracy - one.confidence) for one in bins) / images


def coverage(confidence: Floats, right: Bools) -> list[Coverage]:
    """Return the share of images kept, and of those right, at each of `MIN_CONFIDENCES`."""
    rows = []
    for least in MIN_CONFIDENCES:
        kept = confidence >= least
        accuracy = float(right[kept].mean()) if kept.any() else None
        rows.append(Coverage(least, float(kept.mean()), accuracy))
    return rows

"""How far scores can be trusted: what to accept, what it costs, and what is unfamiliar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from imgcls.core.tasks.labelled.metrics import Bools, Floats

_SURE = 1.959964  # standard deviations of a normal distribution that hold 95%
_STEPS = 20  # of the risk-coverage curve


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The least confidence that keeps most photos at a wished accuracy.

    Attributes:
        target_accuracy: what was wished, 0 to 1.
        min_confidence: the least best score to accept.
        coverage: the share of photos that reach it.
        accuracy: the share of those that is right.
        images: how many those are.
    """

    target_accuracy: float
    min_confidence: float
    coverage: float
    accuracy: float
    images: int


@dataclass(frozen=True, slots=True)
class Risk:
    """A point of the risk-coverage curve (El-Yaniv and Wiener 2010).

    Attributes:
        coverage: the share of photos with the best scores that are accepted, 0 to 1.
        risk: the share of those that is wrong.
        min_confidence: the least of their scores.
    """

    coverage: float
    risk: float
    min_confidence: float


@dataclass(frozen=True, slots=True)
class Unfamiliar:
    """How photos of none of the classes fare beside those of the classes.

    Attributes:
        images: how many there are.
        unknown: how many are called unknown.
        lost: the share of the right photos of the classes that are called unknown, 0 to 1.
        min_familiarity: below which a photo is unknown; 0 where the model has no familiarity.
        auroc: the chance that a photo of the classes counts as more familiar than one of these.
        by: what the two are compared by: "familiarity", or the best "score" without it.
    """

    images: int
    unknown: int
    lost: float
    min_familiarity: float
    auroc: float
    by: Literal["familiarity", "score"]


def wilson(right: int, images: int) -> tuple[float, float]:
    """Return the interval that holds the true share with 95% (Wilson 1927); 0 to 1 for none."""
    if not images:
        return 0.0, 1.0
    share, extra = right / images, _SURE**2 / images
    middle = (share + extra / 2) / (1 + extra)
    half = _SURE * math.sqrt(share * (1 - share) / images + extra / (4 * images)) / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)


def recommend(confidence: Floats, right: Bools, target_accuracy: float) -> Recommendation | None:
    """Return the least confidence with which the wished accuracy is kept.

    Args:
        confidence: the best scores (n,), 0 to 1.
        right: whether the best class is the actual one (n,).
        target_accuracy: of the photos that are accepted, 0 to 1.

    Returns:
        None where not even the surest photos reach it.
    """
    order = np.argsort(-confidence, kind="stable")
    scores, hits = confidence[order], np.cumsum(right[order])
    counts = np.arange(1, len(order) + 1)
    ends = np.append(scores[1:] < scores[:-1], True)  # equal scores are accepted together
    possible = np.flatnonzero(ends & (hits >= target_accuracy * counts))
    if not len(possible):
        return None
    last = int(possible[-1])
    least = float(scores[last])
    rounded = math.floor(least * 1e4) / 1e4
    if last + 1 == len(scores):
        rounded = 0.0
    elif rounded <= scores[last + 1]:
        rounded = least
    count = last + 1
    return Recommendation(
        target_accuracy, rounded, count / len(scores), int(hits[last]) / count, count
    )


def risk_coverage(confidence: Floats, right: Bools) -> list[Risk]:
    """Return the share that is wrong among the surest twentieth, tenth and so on to all."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    counts = sorted({math.ceil(len(order) * step / _STEPS) for step in range(1, _STEPS + 1)})
    return [
        Risk(
            count / len(order),
            int(wrong[count - 1]) / count,
            float(confidence[order[count - 1]]),
        )
        for count in counts
    ]


def area_under_roc(known: Sequence[float] | Floats, other: Sequence[float] | Floats) -> float:
    """Return the chance that one of `known` is above one of `other`; equal ones count half."""
    below = np.sort(np.asarray(other, np.float64))
    values = np.asarray(known, np.float64)
    wins = np.searchsorted(below, values, "left") + np.searchsorted(below, values, "right")
    return float(wins.sum() / (2 * len(values) * len(below)))

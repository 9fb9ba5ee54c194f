"""Make scores mean what they say: one temperature, fitted on the validation photos."""

from __future__ import annotations

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.tasks.training.batches import Columns

_COLDEST, _HOTTEST = 0.05, 20.0
_GOLDEN = (5**0.5 - 1) / 2
_STEPS = 40  # each narrows the interval by 0.62


def fit_temperature(logits: Float32Array, columns: Columns) -> float:
    """Return what to divide logits by so that the scores are as often right as they say.

    It is the temperature of least cross-entropy (Guo et al. 2017,
    https://arxiv.org/abs/1706.04599), between 0.05 and 20. As few photos may all be right, which
    would call for certainty, the target is not 1 for n photos but (n + 1) / (n + 2), as Platt's
    (1999, "Probabilistic outputs for support vector machines").

    Args:
        logits: of the validation photos, (n, classes).
        columns: the class of each, (n,).
    """
    if not len(columns):
        return 1.0
    exact = logits.astype(np.float64)
    count, classes = logits.shape
    missed = 1 / (count + 2)
    target = np.full((count, classes), missed / (classes - 1))
    target[np.arange(count), columns] = 1 - missed

    def loss(inverse: float) -> float:
        return float(-(target * _log_scores(exact * inverse)).sum() / count)

    # The loss is convex in the inverse of the temperature: golden-section search.
    low, high = 1 / _HOTTEST, 1 / _COLDEST
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return 2 / (low + high)


def log_loss(logits: Float32Array, columns: Columns) -> float:
    """Return the mean cross-entropy of logits (n, classes); 0 for no photos."""
    if not len(columns):
        return 0.0
    scores = _log_scores(logits.astype(np.float64))[np.arange(len(columns)), columns]
    return float(-scores.mean())


def _log_scores(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    scores: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return scores

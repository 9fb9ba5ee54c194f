from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import classification_report, confusion_matrix

from imgcls.core.tasks.labelled.metrics import (
    averages,
    calibration,
    confusion,
    coverage,
    expected_calibration_error,
    per_class,
)


def test_ece_by_hand() -> None:
    # Two bins. (0, 0.5]: 0.3 right, 0.5 wrong → confidence 0.4, accuracy 0.5.
    # (0.5, 1]: 0.6 wrong, 0.8 right, 1.0 right → confidence 0.8, accuracy 2/3.
    confidence = np.array([0.3, 0.5, 0.6, 0.8, 1.0])
    right = np.array([True, False, False, True, True])
    low, high = calibration(confidence, right, bins=2)
    assert (low.lower, low.upper, low.images) == (0, 0.5, 2)
    assert (low.confidence, low.accuracy) == pytest.approx((0.4, 0.5))
    assert (high.images, high.confidence, high.accuracy) == pytest.approx((3, 0.8, 2 / 3))
    expected = 2 / 5 * 0.1 + 3 / 5 * (0.8 - 2 / 3)
    assert expected_calibration_error([low, high]) == pytest.approx(expected)


def test_fifteen_bins_closed_above() -> None:
    bins = calibration(np.array([1 / 15, 0.0, 1.0, 0.07]), np.array([True] * 4))
    assert len(bins) == 15
    assert [one.images for one in bins if one.images] == [2, 1, 1]
    assert [position for position, one in enumerate(bins) if one.images] == [0, 1, 14]


def test_a_perfectly_calibrated_model_has_no_error() -> None:
    confidence = np.full(10, 0.7)
    right = np.arange(10) < 7
    assert expected_calibration_error(calibration(confidence, right)) == pytest.approx(0)


def test_coverage_by_hand() -> None:
    rows = {
        one.min_confidence: (one.coverage, one.accuracy)
        for one in coverage(np.array([0.2, 0.5, 0.9, 0.9]), np.array([False, True, True, False]))
    }
    assert rows[0.0] == (1.0, 0.5)
    assert rows[0.5] == (0.75, pytest.approx(2 / 3))
    assert rows[0.9] == (0.5, 0.5)
    assert rows[0.95] == (0.0, None)


def test_two_classes_by_hand() -> None:
    # a a a b b; predicted a a b b a
    actual, predicted = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0])
    assert confusion(actual, predicted, [0, 1]).tolist() == [[2, 1], [1, 1]]
    a, b = per_class(actual, predicted, [0, 1], ["a", "b"])
    assert (a.label, a.precision, a.recall, a.f1, a.support) == pytest.approx(
        ("a", 2 / 3, 2 / 3, 2 / 3, 3)
    )
    assert (b.precision, b.recall, b.f1, b.support) == pytest.approx((0.5, 0.5, 0.5, 2))
    macro, weighted = averages([a, b])
    assert macro.f1 == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert weighted.f1 == pytest.approx(3 / 5 * 2 / 3 + 2 / 5 / 2)


def test_agrees_with_scikit_learn_where_classes_are_never_said_or_never_shown() -> None:
    rng = np.random.default_rng(0)
    actual, predicted = rng.integers(0, 7, 200), rng.integers(3, 10, 200)
    columns = list(range(10))
    labels = [f"c{column}" for column in columns]
    report = classification_report(
        actual, predicted, labels=columns, target_names=labels, output_dict=True, zero_division=0
    )
    scores = per_class(actual, predicted, columns, labels)
    macro, weighted = averages(scores)
    for one, name in [
        *((one, one.label) for one in scores),
        (macro, "macro avg"),
        (weighted, "weighted avg"),
    ]:
        theirs = report[name]
        ours = (one.precision, one.recall, one.f1, one.support)
        assert ours == pytest.approx(
            (theirs["precision"], theirs["recall"], theirs["f1-score"], theirs["support"])
        )
    assert np.array_equal(
        confusion(actual, predicted, columns), confusion_matrix(actual, predicted)
    )

"""What to accept, what it costs, what is unfamiliar: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.tasks.labelled.trust import (
    Recommendation,
    area_under_roc,
    recommend,
    risk_coverage,
    wilson,
)

SCORES = np.array([0.5, 0.9, 0.8, 0.7, 0.7])
RIGHT = np.array([False, True, True, False, True])


@pytest.mark.parametrize(
    ("right", "images", "interval"),
    [
        # (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), z = 1.959964
        (3, 4, (0.300642, 0.954413)),
        (10, 10, (0.722467, 1.0)),
        (0, 10, (0.0, 0.277533)),
        (0, 0, (0.0, 1.0)),
    ],
)
def test_wilson(right: int, images: int, interval: tuple[float, float]) -> None:
    assert wilson(right, images) == pytest.approx(interval, abs=1e-6)


@pytest.mark.parametrize(
    ("wished", "least", "count", "accuracy"),
    [
        (1.0, 0.8, 2, 1.0),
        (0.75, 0.7, 4, 0.75),  # both of 0.7, or neither
        (0.6, 0.0, 5, 0.6),
    ],
)
def test_recommend(wished: float, least: float, count: int, accuracy: float) -> None:
    expected = Recommendation(wished, least, count / 5, accuracy, count)
    assert recommend(SCORES, RIGHT, wished) == expected


def test_a_rounded_limit_accepts_no_other_photo() -> None:
    scores, right = np.array([0.90002, 0.90001]), np.array([True, False])
    found = recommend(scores, right, 1.0)
    assert found is not None
    assert found.min_confidence == 0.90002
    found = recommend(np.array([0.912345, 0.5]), right, 1.0)
    assert found is not None
    assert found.min_confidence == 0.9123


def test_nothing_to_recommend_where_the_surest_is_wrong() -> None:
    assert recommend(np.array([0.9, 0.8]), np.array([False, True]), 0.9) is None


def test_risk_coverage() -> None:
    points = risk_coverage(SCORES, RIGHT)
    assert [(one.coverage, one.risk) for one in points] == [
        *((0.2, 0.0), (0.4, 0.0), (0.6, 1 / 3), (0.8, 0.25), (1.0, 0.4)),
    ]
    assert [one.min_confidence for one in points] == [0.9, 0.8, 0.7, 0.7, 0.5]


def test_area_under_roc() -> None:
    assert area_under_roc([0.5, 0.9], [0.1, 0.5]) == (1 + 0.5 + 1 + 1) / 4
    assert area_under_roc([0.0], [1.0]) == 0

"""The temperature, where it can be worked out."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.tasks.training.calibration import fit_temperature, log_loss


def _logits(margin: float, right: int, wrong: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two classes' logits that are sure by a margin, and so often right."""
    logits = np.tile(np.array([[margin, 0]], np.float32), (right + wrong, 1))
    return logits, np.array([0] * right + [1] * wrong)


@pytest.mark.parametrize("margin", [0.5, 3.0, 10.0])
def test_scores_become_as_often_right_as_they_say(margin: float) -> None:
    logits, columns = _logits(margin, 800, 200)
    temperature = fit_temperature(logits, columns)
    score = 1 / (1 + np.exp(-margin / temperature))
    # 800 of 1000 right, each counting 1001/1002, and 200 counting 1/1002
    assert score == pytest.approx((800 * 1001 + 200) / (1000 * 1002), abs=1e-4)


def test_all_right_is_no_certainty() -> None:
    logits, columns = _logits(2.0, 8, 0)
    score = 1 / (1 + np.exp(-2.0 / fit_temperature(logits, columns)))
    assert score == pytest.approx(9 / 10, abs=1e-4)


def test_nothing_to_fit_on_changes_nothing() -> None:
    assert fit_temperature(np.zeros((0, 2), np.float32), np.zeros(0, np.int64)) == 1.0


def test_log_loss_by_hand() -> None:
    logits = np.log(np.array([[0.25, 0.75], [0.5, 0.5]], np.float32))
    expected = -(np.log(0.75) + np.log(0.5)) / 2
    assert log_loss(logits, np.array([1, 0])) == pytest.approx(expected, rel=1e-6)
    assert log_loss(logits[:0], np.array([], np.int64)) == 0

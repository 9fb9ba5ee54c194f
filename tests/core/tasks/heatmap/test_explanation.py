"""An answer, and whether there is anything in it."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.explanation import Explanation, Unexplained

CAT = Prediction(1, "n02123159", "tiger_cat", 0.5)


@pytest.mark.parametrize(("highest", "any_evidence"), [(0, False), (1e-30, True), (1, True)])
def test_evidence_is_any_place_above_zero(highest: float, any_evidence: bool) -> None:
    cam = np.zeros((2, 3), np.float32)
    cam[1, 2] = highest
    image = np.zeros((2, 3, 3), np.uint8)
    found = Explanation("a.jpg", "m", "gradcam", "l", CAT, 282, None, image, cam, (0, 0, 3, 2))
    assert found.has_evidence is any_evidence
    assert (found.faithfulness, found.error) == (None, None)


def test_both_answers_have_a_path_and_an_error() -> None:
    bad = Unexplained("a.jpg", "empty file")
    assert (bad.path, bad.error) == ("a.jpg", "empty file")

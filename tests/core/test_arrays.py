"""Softmax: worked out by hand, and of logits that overflow without care."""

from __future__ import annotations

import numpy as np

from imgcls.core.arrays import OUTPUTS, softmax


def test_softmax_by_hand() -> None:
    logits = np.log(np.array([[1, 2, 5], [3, 3, 2]], np.float32))
    np.testing.assert_allclose(
        softmax(logits), [[0.125, 0.25, 0.625], [0.375, 0.375, 0.25]], rtol=1e-6
    )


def test_large_logits_neither_overflow_nor_change_type() -> None:
    scores = softmax(np.array([1000, 1000, -1000], np.float32))
    np.testing.assert_array_equal(scores, [0.5, 0.5, 0])
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(softmax(np.array([-1e30, 1e30], np.float32)), [0, 1])


def test_each_row_is_for_itself() -> None:
    logits = np.array([[[0, 0], [500, 0]]], np.float32)
    np.testing.assert_array_equal(softmax(logits), [[[0.5, 0.5], [1, 0]]])


def test_outputs() -> None:
    assert OUTPUTS == ("logits", "features", "activations")

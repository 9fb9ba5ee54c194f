"""Shares keep six significant digits, however small they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imgcls.core.rounding import rounded


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.123456789, 0.123457),
        (0.000123456789, 0.000123457),
        (1.23456789e-12, 1.23457e-12),
        (0.9999996, 1.0),
        (0.9999994, 0.999999),
        (1234567.0, 1234570.0),
        (-0.123456789, -0.123457),
        (0, 0.0),
    ],
)
def test_six_significant_digits(value: float, expected: float) -> None:
    assert rounded(value) == expected


def test_float32_becomes_a_plain_float() -> None:
    value = rounded(np.float32(0.1))  # type: ignore[arg-type]
    assert type(value) is float and value == 0.1


def test_what_is_not_finite_stays_so() -> None:
    assert rounded(math.inf) == math.inf
    assert math.isnan(rounded(math.nan))

"""Values of layers' arguments: what passes, how it is kept, and what is said of the others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from imgcls.core.models.layer_arguments import (
    ANY_REAL,
    EDGES,
    WINDOW,
    Check,
    choice,
    flag,
    one_or_each_channel,
    real,
    several,
    whole,
)


@pytest.mark.parametrize(
    ("check", "value", "kept"),
    [
        (whole(1, 3), 1, 1),
        (whole(1, 3), 3, 3),
        (real(0, 1), 1, 1.0),
        (real(0, 1, or_none=True), None, None),
        (flag, False, False),
        (choice("valid", "same"), "same", "same"),
        (WINDOW, [3, 2], (3, 2)),
        (EDGES, [[0, 1], [2, 3]], ((0, 1), (2, 3))),
        (several(whole(1, 3), 0, 3), [], ()),
        (one_or_each_channel(real(0, 9)), 2, 2.0),
        (one_or_each_channel(real(0, 9)), [1, 2], (1.0, 2.0)),
    ],
)
def test_passes(check: Check, value: Any, kept: Any) -> None:
    found = check(value)
    assert found == kept and type(found) is type(kept)


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (whole(1, 3), 0, "a whole number from 1 to 3"),
        (whole(1, 3), 4, "a whole number from 1 to 3"),
        (whole(0, 3), True, "a whole number from 0 to 3"),  # a flag is no number
        (whole(0, 3), 1.0, "a whole number from 0 to 3"),
        (whole(0, 3), np.int64(1), "a whole number from 0 to 3"),
        (real(0, 0.5), 0.6, "a number from 0 to 0.5"),
        (real(0, 1), None, "a number from 0 to 1"),
        (real(0, 1), False, "a number from 0 to 1"),
        (real(0, 1), math.nan, "a number from 0 to 1"),
        (flag, 1, "true or false"),
        (choice("valid", "same"), "full", "one of valid, same"),
        (choice("valid", "same"), ["same"], "one of valid, same"),
        (WINDOW, [3], "a list of 2"),
        (WINDOW, "33", "a list of 2"),
        (several(whole(1, 3), 1, 3), [], "a list of 1 to 3"),
        (EDGES, [[0, 1], [2, -1]], "a whole number from 0 to 1024"),
        (one_or_each_channel(real(0, 9)), [], "a list of 1 to 65536"),
    ],
)
def test_refused_with_what_it_may_be(check: Check, value: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        check(value)
    assert str(caught.value) == message


def test_any_number_is_finite() -> None:
    assert ANY_REAL(-(2.0**100)) == -(2.0**100)
    for value in (math.inf, -math.inf, math.nan, 2.0**101, 10**400):
        with pytest.raises(ValueError, match="a number from"):
            ANY_REAL(value)

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.progress import Progress


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "x"},
        {"epoch": -1},
        {"best": [1]},
        {"history": [{}]},
        {"more": 1},
        {"best": None},
        {"seconds": "1"},
    ],
)
def test_progress_that_is_none(change: dict[str, Any]) -> None:
    described = Progress(best=Epoch("x", 1, 0.5, 0.5, 0.5, 0.5, 1.0)).described()
    assert Progress.of(described).described() == described
    with pytest.raises((KeyError, TypeError, ValueError)):
        Progress.of(described | change)


@pytest.mark.parametrize("change", [{"stage": 1}, {"epoch": 1.5}, {"loss": "x"}, {"seconds": None}])
def test_epoch_that_is_none(change: dict[str, Any]) -> None:
    described = Progress(best=Epoch("x", 1, 0.5, 0.5, 0.5, 0.5, 1.0)).described()
    epoch = {**described["best"], **change}
    for spoiled in ({"best": epoch}, {"history": [epoch]}):
        with pytest.raises(ValueError, match="an epoch lacks its figures"):
            Progress.of(described | spoiled)

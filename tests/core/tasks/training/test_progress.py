from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.progress import LEAST_GAIN, Progress


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


def test_the_best_epoch_and_those_waited_for_a_better_one() -> None:
    progress = Progress()
    losses = [0.5, 0.5 - LEAST_GAIN / 2, 0.4, 0.6, 0.7]  # the second is better, but hardly
    epochs = [Epoch("x", number, 1.0, 0.5, loss, 0.5, 1.0) for number, loss in enumerate(losses)]
    assert [progress.note(epoch) for epoch in epochs] == [True, True, True, False, False]
    assert (progress.best, progress.waited, progress.history) == (epochs[2], 2, epochs)
    progress.next_stage()
    assert progress.note(epochs[4]) and progress.waited == 0

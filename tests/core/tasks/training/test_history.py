from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.tasks.training.history import HEADER, Epoch, kept_epoch, write_csv


def test_a_row_an_epoch(tmp_path: Path) -> None:
    epochs = [
        Epoch("features", 1, 0.5, 0.75, 0.25, 0.875, 1.5),
        Epoch("fine-tuning", 0, None, None, 0.25, 0.875, 0.5),
        Epoch("fine-tuning", 1, 0.125, 1.0, 0.1234567, 1.0, 2.0),
    ]
    write_csv(tmp_path / "h.csv", epochs)
    assert (tmp_path / "h.csv").read_text().splitlines() == [
        ",".join(HEADER),
        "features,1,0.5,0.75,0.25,0.875,1.5",
        "fine-tuning,0,,,0.25,0.875,0.5",
        "fine-tuning,1,0.125,1,0.123457,1,2",
    ]


def epoch(stage: str, number: int, val_loss: float) -> Epoch:
    loss = 0.5 if number else None
    return Epoch(stage, number, loss, loss, val_loss, 0.5, 1.0)


FEATURES = [epoch("features", 1, 0.5), epoch("features", 2, 0.25), epoch("features", 3, 0.3)]
WORSE = [epoch("augmented", 0, 0.25), epoch("augmented", 1, 0.4)]
BETTER = [epoch("augmented", 0, 0.25), epoch("augmented", 1, 0.2)]
LAST = [epoch("fine-tuning", 0, 0.25), epoch("fine-tuning", 1, 0.3)]


@pytest.mark.parametrize(
    ("epochs", "best", "kept"),
    [
        (FEATURES, FEATURES[1], FEATURES[1]),
        (FEATURES + BETTER, BETTER[1], BETTER[1]),
        (FEATURES + WORSE, WORSE[0], FEATURES[1]),
        (FEATURES + BETTER + LAST, LAST[0], BETTER[1]),
        (FEATURES + WORSE + LAST, LAST[0], FEATURES[1]),
        (FEATURES + LAST[:1], LAST[0], FEATURES[1]),  # the time was up
        (FEATURES + WORSE[:1] + LAST, LAST[0], FEATURES[1]),
    ],
)
def test_the_kept_epoch_is_of_the_stage_that_found_it(
    epochs: list[Epoch], best: Epoch, kept: Epoch
) -> None:
    assert kept_epoch(epochs, best) == kept

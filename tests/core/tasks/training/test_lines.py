from __future__ import annotations

import pytest

from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.lines import epoch_line, status_text, title
from imgcls.core.tasks.training.progress import Stage

STAGE = Stage("fine-tuning", 10, 1e-5, 32)


def test_how_an_epoch_goes() -> None:
    assert title(STAGE, 2) == "fine-tuning 2/10"
    assert status_text(0.5, 0.975, 754.0) == "loss 0.5000, accuracy 97.5%, ≤ 13 min left"
    assert status_text(0.5, 1.0, 0.4) == "loss 0.5000, accuracy 100.0%, less than 1 s left"


@pytest.mark.parametrize("left", [None, 0.4, 35.0])
def test_how_an_epoch_went(left: float | None) -> None:
    line = epoch_line(STAGE, Epoch("fine-tuning", 1, 0.25, 0.9, 0.125, 0.95, 3.0), left)
    assert line == (
        "fine-tuning 1/10: loss 0.2500, accuracy 90.0%; val 0.1250, 95.0%"
        + ("; ≤ 35 s left" if left == 35 else "")
    )


def test_it_fits_80_columns() -> None:
    epoch = Epoch("fine-tuning", 10, 0.25, 0.9, 0.125, 0.95, 3.0)
    assert len(epoch_line(STAGE, epoch, 35 * 60)) <= 80


def test_what_a_stage_begins_with() -> None:
    line = epoch_line(STAGE, Epoch("fine-tuning", 0, None, None, 0.125, 0.95, 3.0), None)
    assert line == "fine-tuning 0/10: val loss 0.1250, accuracy 95.0%"

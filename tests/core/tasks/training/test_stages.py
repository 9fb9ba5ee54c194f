"""A checkpoint that was read from a file is no training until it is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls import finetune
from imgcls.core.errors import UsageError
from imgcls.core.models.model_file import read_model_file
from imgcls.core.tasks.training.checkpoints import Checkpoint, Checkpoints
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.progress import Progress
from imgcls.core.tasks.training.stages import train


def test_folds_say_how_well_it_does_and_all_is_learned(two_classes: Path, tmp_path: Path) -> None:
    result = finetune(two_classes, tmp_path / "m.safetensors", folds=3)
    assert (result.training_images, result.validation_images) == (24, 24)
    assert result.folds is not None
    assert len(result.folds.accuracies) == 3
    assert result.folds.confusion_matrix.sum() == 24
    right = np.trace(result.folds.confusion_matrix) / 24
    assert result.val_accuracy == right
    assert result.folds.mean == pytest.approx(right)  # folds of eight images each
    file = read_model_file(tmp_path / "m.safetensors")
    assert file.familiarity is not None
    assert len(file.familiarity.closeness) == right * 24
    assert file.metrics["folds"] == list(result.folds.accuracies)


def test_few_validation_images_are_not_all_that_is_familiar(
    two_classes: Path, tmp_path: Path
) -> None:
    finetune(two_classes, tmp_path / "m.safetensors", epochs=20)
    familiarity = read_model_file(tmp_path / "m.safetensors").familiarity
    assert familiarity is not None
    assert len(familiarity.closeness) >= 20  # and not the four of the validation alone


EPOCH = Epoch("features", 1, 0.5, 0.75, 0.6, 0.7, 1.0)


@pytest.mark.parametrize(
    "change",
    [{"stage": 2}, {"stage": -1}, {"stage": "0"}, {"best": None}, {"epoch": 0.5}, {"unknown": 1}],
)
def test_what_does_not_fit_the_options_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    options = FinetuneOptions(augment="light", resume=True)  # of two stages
    described = Progress(best=EPOCH, history=[EPOCH]).described()
    checkpoints = Checkpoints(tmp_path / "c", {})
    checkpoints.save(Checkpoint({**described, **change}, {"a": np.zeros(1, np.float32)}))
    with pytest.raises(UsageError) as raised:
        train(options, None, None, checkpoints, 0.0)  # type: ignore[arg-type]
    assert str(raised.value) == (
        f"{tmp_path / 'c'}: its checkpoint does not hold the state of this training; "
        "use `force` without `resume` to begin anew"
    )
    assert checkpoints.exist()  # nothing is deleted by a refusal

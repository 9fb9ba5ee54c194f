"""A checkpoint that was read from a file is no training until it is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.training.checkpoints import Checkpoint, Checkpoints
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.progress import Progress
from imgcls.core.tasks.training.stages import train

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

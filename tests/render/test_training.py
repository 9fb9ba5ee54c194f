"""What a training says at its end."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imgcls.core.tasks.training.finetune import FinetuneResult
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.trained import FoldFigures
from imgcls.render.training import text


def test_folds_and_few_images() -> None:
    result = FinetuneResult(
        path=Path("m.safetensors"),
        backbone="vgg16",
        classes={"cat": 2, "dog": 2},
        training_images=4,
        validation_images=4,
        val_accuracy=0.75,
        val_loss=0.1,
        kept=Epoch("folds", 5, 0.2, 0.9, 0.1, 0.75, 1.0),
        history=(),
        unreadable=0,
        seconds=1.0,
        folds=FoldFigures((0.5, 1.0), np.array([[1, 1], [0, 2]])),
    )
    assert "".join(text(result)).splitlines()[3:8] == [
        "validation accuracy  75.00%  (30% to 95% for more such images)",
        "over   2 folds       75.00% ± 35.36%  (50.0%, 100.0%)",
        "confusion            rows true, columns predicted, in the order of the classes",
        "  cat  1  1",
        "  dog  ·  2",
    ]


def test_text() -> None:
    result = FinetuneResult(
        path=Path("my\x1b.safetensors"),
        backbone="vgg16",
        classes={"cat": 30, "do\x07g": 40},
        training_images=70,
        validation_images=17,
        val_accuracy=0.98765,
        val_loss=0.1,
        kept=Epoch("features", 5, 0.2, 0.9, 0.1, 0.98765, 1.0),
        history=(),
        unreadable=2,
        seconds=12.345,
    )
    assert "".join(text(result)) == (
        "classes              2 (cat 30, do\\x07g 40)\n"
        "training images      70\n"
        "validation images    17\n"
        "validation accuracy  98.77%  (82% to 100% for more such images)\n"
        "kept                 epoch 5 of the features stage\n"
        "seconds              12.3\n"
        "model                my\\x1b.safetensors\n"
    )

"""What a training says at its end."""

from __future__ import annotations

from pathlib import Path

from imgcls.core.tasks.training.finetune import FinetuneResult
from imgcls.core.tasks.training.history import Epoch
from imgcls.render.training import text


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
        "validation accuracy  98.77%\n"
        "kept                 epoch 5 of the features stage\n"
        "seconds              12.3\n"
        "model                my\\x1b.safetensors\n"
    )

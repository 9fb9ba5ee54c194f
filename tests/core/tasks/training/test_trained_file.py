from __future__ import annotations

import numpy as np

from imgcls.core.models.head import Head
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.selection import LabelledImages, Selection
from imgcls.core.tasks.training.trained import FoldFigures, Trained
from imgcls.core.tasks.training.trained_file import trained_file

HEAD = Head(((np.ones((4, 2), np.float32), np.zeros(2, np.float32)),))
BEST = Epoch("scratch", 3, 0.5, 0.75, 0.6, 0.7, 1.0)


def side(count: int) -> LabelledImages:
    sources = [Source(f"{number}.jpg") for number in range(count)]
    return LabelledImages(sources, ["0" * 64] * count, np.arange(count) % 2)


SELECTION = Selection(("ant", "bee"), side(5), side(2), unreadable=0)


def trained(folds: FoldFigures | None = None) -> Trained:
    logits = np.zeros((2, 2), np.float32)
    return Trained(
        HEAD, {"kernel": np.ones(3)}, BEST, [BEST], [0, 1], logits, 1.5, 0.4, None, folds
    )


def test_the_file_says_what_was_learned_and_how_well() -> None:
    options = FinetuneOptions("simple-cnn", size=64, resize="squash")
    file = trained_file(options, SELECTION, None, trained())
    assert (file.backbone, file.backbone_weights, file.weights_sha256) == (
        "simple-cnn",
        "stored",
        "",
    )
    assert (file.preprocessing.size, file.preprocessing.resize) == (64, "squash")
    assert (file.head, file.labels) == (HEAD, ("ant", "bee"))
    assert file.training["options"] == options.described()
    assert file.training["classes"] == {"ant": 3, "bee": 2}
    assert (file.training["images"], file.training["validation_images"]) == (5, 2)
    assert file.training["images_sha256"] == SELECTION.digest
    assert file.metrics == {
        "val_accuracy": 0.7,
        "val_loss": 0.4,
        "temperature": 1.5,
        "stage": "scratch",
        "epoch": 3,
    }
    assert {"imgcls", "numpy", "pillow"} <= file.versions.keys()


def test_the_accuracy_of_each_fold_is_written_where_there_are_folds() -> None:
    folds = FoldFigures((0.5, 0.75), np.eye(2, dtype=np.int64))
    file = trained_file(FinetuneOptions("simple-cnn"), SELECTION, None, trained(folds))
    assert file.metrics["folds"] == [0.5, 0.75]

from __future__ import annotations

import pytest

from imgcls.core.tasks.labelled.splits import split_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Train", "train"),
        ("TRAINING", "train"),
        ("training_set", "train"),
        ("train_images", "train"),
        ("seg_train", "train"),
        ("TrainSet", "train"),
        ("trainset", "train"),
        ("train2017", "train"),
        ("val", "validation"),
        ("valid-data", "validation"),
        ("my validation", "validation"),
        ("test1", "test"),
        ("seg_test", "test"),
        ("testing", "test"),
        ("trains", None),
        ("trainer", None),
        ("valley", None),
        ("testa", None),
        ("contest", None),
        ("bullet train station", None),
        ("123", None),
        ("", None),
    ],
)
def test_first_or_last_word(name: str, split: str | None) -> None:
    assert split_of(name) == split

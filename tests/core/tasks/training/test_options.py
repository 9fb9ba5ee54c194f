from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.training.options import STAGES, FinetuneOptions


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ({}, ["features"]),
        ({"augment": "light"}, ["features", "augmented"]),
        ({"unfreeze": 3}, ["features", "fine-tuning"]),
        ({"unfreeze": "all", "augment": "full"}, ["features", "augmented", "fine-tuning"]),
        ({"model": "simple-cnn", "augment": "full"}, ["scratch"]),
    ],
)
def test_stages(how: dict[str, Any], names: list[str]) -> None:
    stages = FinetuneOptions(epochs=3, learning_rate=0.5, batch_size=7, **how).stages()
    assert [stage.name for stage in stages] == names
    assert (stages[-1].epochs, stages[-1].learning_rate) == (3, 0.5)
    for stage in stages[:-1]:
        row = STAGES[stage.name]
        assert (stage.epochs, stage.learning_rate) == (row.epochs, row.learning_rate)
    assert {stage.batch_size for stage in stages} == {7}


def test_hidden_units() -> None:
    assert FinetuneOptions().hidden_units == ()
    assert FinetuneOptions(head="mlp").hidden_units == (256,)
    assert FinetuneOptions(model="simple-cnn").hidden_units == (128,)
    assert FinetuneOptions(model="simple-cnn", hidden=(7,)).hidden_units == (7,)
    assert FinetuneOptions(hidden=(8, 4)).hidden_units == (8, 4)
    assert FinetuneOptions(head="mlp").left_out == 0.5
    assert FinetuneOptions(hidden=(8,), dropout=0.0).left_out == 0.0


def test_only_what_is_asked_for_is_described() -> None:
    assert "features" not in FinetuneOptions().described()
    described = FinetuneOptions(features="flatten", size=64, resize="pad").described()
    assert (described["features"], described["size"], described["resize"]) == ("flatten", 64, "pad")


@pytest.mark.parametrize(
    "how",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"patience": 0},
        {"learning_rate": -1},
        {"val_split": 1.0},
        {"unfreeze": -2},
        {"unfreeze": "some"},
        {"seed": -1},
        {"max_seconds": 0},
        {"augment": "wild"},
        {"head": "svm"},
        {"size": 0},
        {"size": 1025},
        {"features": "a layer"},
        {"hidden": (0,)},
        {"hidden": (8, 8, 8, 8)},
        {"hidden": (100_000,)},
        {"dropout": 0.2},
        {"dropout": 1.0, "hidden": (8,)},
        {"model": "simple-cnn", "unfreeze": 1},
        {"model": "simple-cnn", "weights": "w.h5"},
        {"validation": "x", "val_split": 0.1},
    ],
)
def test_refused(how: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        FinetuneOptions(**how)


@pytest.mark.parametrize(
    "others",
    [
        *({"folds": 1}, {"folds": 51}, {"val_split": 0.2}, {"validation": "there"}),
        *({"unfreeze": 1}, {"augment": "light"}, {"model": "simple-cnn"}),
    ],
)
def test_folds_go_with_a_head_on_kept_features(others: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="`folds`"):
        FinetuneOptions(**({"folds": 5} | others))

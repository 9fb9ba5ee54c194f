"""What a model file that finetune wrote says of its training, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from imgcls.core.models.model_file import ModelFile
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.render.training_facts import training_facts
from tests.render.test_model_file import FILE


def trained(**options: Any) -> ModelFile:
    return replace(
        FILE,
        training={
            "options": FinetuneOptions(**options).described(),
            "classes": {"cat": 3, "dog": 4},
            "images": 7,
            "validation_images": 1,
            "images_sha256": "ab12",
        },
        metrics={"val_accuracy": 0.965, "val_loss": 0.129, "stage": "features", "epoch": 2},
    )


def test_one_epoch_is_not_several() -> None:
    assert training_facts(trained(epochs=1))["options"].startswith("at most 1 epoch, ")


def test_in_words() -> None:
    assert training_facts(trained(epochs=5, class_weights=True)) == {
        "accuracy": "96.50% of 1 validation image (loss 0.1290)",
        "kept": "epoch 2 of the features stage",
        "trained on": "7 images: cat 3, dog 4",
        "recipe": "a linear head on the features",
        "options": (
            "at most 5 epochs, learning rate 0.001, class weights, batch size 32, seed 0, "
            "patience 5, 20% set aside where none is named"
        ),
        "images SHA-256": "ab12",
    }


@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        ({"head": "mlp"}, "a head of 256 hidden units on the features"),
        (
            {"augment": "light", "unfreeze": 20},
            "a linear head on the features, then on changed images (light), then the last 20 "
            "layers too",
        ),
        ({"unfreeze": 1}, "a linear head on the features, then the last layer too"),
        ({"unfreeze": "all"}, "a linear head on the features, then all layers too"),
        ({"model": "simple-cnn"}, "all layers and a head of 128 hidden units from scratch"),
    ],
)
def test_recipes(options: dict[str, Any], recipe: str) -> None:
    assert training_facts(trained(**options))["recipe"] == recipe


def test_calibrated() -> None:
    file = trained()
    warm = replace(file, metrics={**file.metrics, "temperature": 1.2345})
    assert training_facts(warm)["accuracy"] == (
        "96.50% of 1 validation image (loss 0.1290, calibrated by a temperature of 1.23)"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"options": None},
        {"options": {}},
        {"classes": [1]},
        {"images": "x"},
        {"options": {"stages": ["other"], "head": [], "unfreeze": 0, "augment": "none"}},
    ],
)
def test_what_finetune_did_not_write_is_left_to_others(change: dict[str, Any]) -> None:
    file = trained()
    assert training_facts(replace(file, training={**file.training, **change})) == {}
    assert training_facts(FILE) == {}

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

import imgcls
from imgcls.core.models.head import Head
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.sources import walk
from tests.conftest import load_batch

CLASSES = [ClassLabel("cat", "cat"), ClassLabel("dog", "dog"), ClassLabel("eel", "eel")]


SAMPLES_BY_LABEL = {
    "tiger_cat": "cat.jpg",
    "n07920052": "coffee.jpg",
    "daisy": "flower.jpg",
    "palace": "palace.jpg",
    "missile": "rocket.jpg",
}


def test_sample_images_in_folders_by_id_and_by_label(samples: Path, tmp_path: Path) -> None:
    for label, name in SAMPLES_BY_LABEL.items():
        (tmp_path / label).mkdir()
        shutil.copy(samples / name, tmp_path / label)
    result = imgcls.evaluate(tmp_path)
    assert (result.images, result.top1, result.errors) == (5, 1.0, ())
    assert sorted(result.labels) == ["daisy", "espresso", "missile", "palace", "tiger_cat"]
    assert np.array_equal(result.confusion_matrix, np.eye(5))


def test_a_head_of_ones_own_on_class_folders(
    cars_flowers: Path, tmp_path: Path, copy_photos: Callable[[Path, Path, int], None]
) -> None:
    """A nearest-mean classifier on the features, evaluated on photos it has not seen."""
    model = imgcls.load_model()
    labels = ("car", "flower")
    means = []
    for label in labels:
        few = list(islice(walk(str(cars_flowers / "train" / label)), 20))
        (features,) = model.engine.run(load_batch(few, model.preprocessing), ("features",))
        means.append(features.mean(axis=0))
        copy_photos(cars_flowers / "test" / label, tmp_path / label, 15)
    kernel = np.stack(means, axis=1)  # (d, 2)
    head = Head(((kernel, -0.5 * np.square(kernel).sum(axis=0)),))
    mine = replace(
        model, name="mine", head=head, labels=tuple(ClassLabel(one, one) for one in labels)
    )
    result = imgcls.evaluate(tmp_path, mine)
    assert result.images == 30
    assert result.labels == labels
    assert result.top1 >= 0.8
    assert result.top5 == 1.0
    assert int(result.confusion_matrix.sum()) == 30
    assert [one.support for one in result.classes] == [15, 15]

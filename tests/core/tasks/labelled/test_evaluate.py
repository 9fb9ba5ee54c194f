from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import imgcls
from imgcls.core.errors import LabelError, NoImagesError, UsageError
from imgcls.core.models.head import Head
from imgcls.core.models.labels import ClassLabel, imagenet_labels
from imgcls.core.pixels.sources import Source, walk
from imgcls.core.tasks.labelled.evaluation import ScoredImage, summarize
from imgcls.core.tasks.labelled.sources import (
    LabelledSource,
    label_from_filename,
    label_from_folder,
    labelled_sources,
    unique_names,
)
from tests.conftest import load_batch

CLASSES = [ClassLabel("cat", "cat"), ClassLabel("dog", "dog"), ClassLabel("eel", "eel")]


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def test_label_is_the_first_folder_below() -> None:
    assert label_from_folder("d", os.path.join("d", "cat", "x", "1.jpg")) == "cat"
    assert label_from_folder("d", os.path.join("d", "1.jpg")) == ""


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("n02123159_tiger_cat.JPEG", "n02123159"),
        ("cat_1.jpg", "cat"),
        ("cat.jpg", "cat"),
        ("_x.jpg", ""),
        ("a.b_c.jpg", "a.b"),
    ],
)
def test_label_stands_before_the_first_underscore(name: str, label: str) -> None:
    assert label_from_filename("d", os.path.join("d", "e", name)) == label


def test_labels_by_id_and_by_name(tmp_path: Path) -> None:
    make(tmp_path, "n02123159/a.jpg", "tabby/b.jpg", "crane (n02012849)/c.jpg", "stray.jpg")
    labels = imagenet_labels()
    found = list(labelled_sources(str(tmp_path), labels, "lite0", "folder"))
    ids = [labels[one.column].class_id for one in found if isinstance(one, LabelledSource)]
    assert ids == ["n02012849", "n02123159", "n02123045"]
    assert [one.name for one in found if isinstance(one, Source)] == [str(tmp_path / "stray.jpg")]


def test_unknown_labels_are_listed_with_the_models(tmp_path: Path) -> None:
    make(tmp_path, "cat/a.jpg", "doge/a.jpg", "zebra/b.jpg")
    with pytest.raises(LabelError) as caught:
        labelled_sources(str(tmp_path), CLASSES, "mine", "folder")
    assert str(caught.value) == (
        f"{tmp_path}: has labels that the model does not: doge, zebra (did you mean dog?); "
        "mine has 3: cat, dog, eel; rename the folders, or name another model"
    )


def test_many_unknown_labels_are_cut_short(tmp_path: Path) -> None:
    make(tmp_path, *(f"c{number:02}_x.jpg" for number in range(20)))
    with pytest.raises(LabelError, match=r"c00, .*, c07 and 12 more; mine has 3"):
        labelled_sources(str(tmp_path), CLASSES, "mine", "filename")


def test_a_label_of_two_classes_is_ambiguous(tmp_path: Path) -> None:
    make(tmp_path, "crane/a.jpg")
    with pytest.raises(LabelError, match="crane means several classes; use n02012849, n03126707"):
        labelled_sources(str(tmp_path), imagenet_labels(), "lite0", "folder")


def test_empty_and_hidden_folders_are_no_labels(tmp_path: Path) -> None:
    make(tmp_path, "cat/a.jpg", ".cache/b.jpg", "notes/readme.txt")
    (tmp_path / "empty").mkdir()
    assert len(list(labelled_sources(str(tmp_path), CLASSES, "mine", "folder"))) == 1


def test_a_folder_without_class_folders(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    with pytest.raises(UsageError, match="no folder per class"):
        labelled_sources(str(tmp_path), CLASSES, "mine", "folder")


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        labelled_sources(str(tmp_path / "nix"), CLASSES, "mine", "folder")


def test_labels_that_several_classes_have_carry_their_id() -> None:
    names = unique_names(imagenet_labels())
    assert len(set(names)) == 1000
    assert "crane (n03126707)" in names
    assert "tiger_cat" in names


def image_of(path: str, actual: int, predicted: int, rank: int, score: float = 0.5) -> ScoredImage:
    return ScoredImage(path, actual, predicted, score, 0.1, rank)


def test_figures_of_four_images() -> None:
    scored = [
        image_of("a", 0, 0, 1, 0.9),
        image_of("b", 0, 2, 2, 0.6),
        image_of("c", 2, 2, 1, 0.8),
        image_of("d", 2, 0, 6, 0.7),
        ScoredImage("e", error="truncated JPEG"),
    ]
    result = summarize(scored, CLASSES, "mine")
    assert (result.images, result.top1, result.top5) == (4, 0.5, 0.75)
    assert result.labels == ("cat", "eel")  # nobody showed or predicted dog
    assert result.confusion_matrix.tolist() == [[1, 1], [1, 1]]
    assert [
        (one.path, one.label, one.predicted, one.label_rank) for one in result.misclassified
    ] == [
        ("b", "cat", "eel", 2),
        ("d", "eel", "cat", 6),
    ]
    assert [(one.path, one.error) for one in result.errors] == [("e", "truncated JPEG")]


def test_nothing_readable() -> None:
    with pytest.raises(NoImagesError, match=r"1 failed; the first: e: truncated JPEG"):
        summarize([ScoredImage("e", error="truncated JPEG")], CLASSES, "mine")


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

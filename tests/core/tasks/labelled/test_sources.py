from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from imgcls.core.errors import LabelError, UsageError
from imgcls.core.models.labels import ClassLabel, imagenet_labels
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.labelled.sources import (
    LabelledSource,
    label_from_filename,
    label_from_folder,
    labelled_sources,
    unique_names,
)

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
        f"{tmp_path}: has labels that the model does not have: doge, zebra (did you mean dog?); "
        "mine has 3 classes: cat, dog, eel; rename the folders, or name another model"
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


def test_composed_names_are_the_same_label(tmp_path: Path) -> None:
    make(tmp_path, "mu\u0308ll/1.jpg")
    labels = [ClassLabel("m\u00fcll", "m\u00fcll"), *CLASSES]
    (found,) = labelled_sources(str(tmp_path), labels, "mine", "folder")
    assert isinstance(found, LabelledSource) and found.column == 0


def test_a_label_that_is_not_utf8(tmp_path: Path) -> None:
    make(tmp_path, os.fsdecode(b"\xb9\xb7") + "/1.jpg")
    with pytest.raises(LabelError, match=r"the name of \\xb9\\xb7 is not UTF-8"):
        labelled_sources(str(tmp_path), CLASSES, "mine", "folder")


def test_a_folder_of_parts_names_one(tmp_path: Path) -> None:
    make(tmp_path, "seg_train/seg_train/cat/1.jpg", "seg_test/seg_test/cat/2.jpg")
    with pytest.raises(UsageError, match=r"name the one to score, such as .*seg_test.seg_test$"):
        labelled_sources(str(tmp_path), CLASSES, "mine", "folder")


def write(folder: Path, *lines: str) -> str:
    (folder / "set.csv").write_text("\n".join(lines))
    return str(folder / "set.csv")


def test_a_table(tmp_path: Path) -> None:
    path = write(tmp_path, "path,label", "1.jpg,eel", "2.jpg,cat")
    found = list(labelled_sources(path, CLASSES, "mine", "folder"))
    assert found == [
        LabelledSource(Source(str(tmp_path / "1.jpg"), label="eel"), 2),
        LabelledSource(Source(str(tmp_path / "2.jpg"), label="cat"), 0),
    ]


@pytest.mark.parametrize(
    ("splits", "scored", "left"),
    [
        (("train", "val", "test"), "3.jpg", "rows of the split test are scored and not the 1 of "),
        (("train", "val", "val"), "2.jpg", "validation are scored and not the 1 of train; a tab"),
        (("train", "train", "train"), "1.jpg", ""),
        (("", "", ""), "1.jpg", ""),
    ],
)
def test_the_split_of_a_table_that_is_scored(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    splits: tuple[str, ...],
    scored: str,
    left: str,
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    rows = (f"{number}.jpg,cat,{split}" for number, split in enumerate(splits, 1))
    path = write(tmp_path, "path,label,split", *rows)
    first, *_ = labelled_sources(path, CLASSES, "mine", "folder")
    assert isinstance(first, LabelledSource) and first.source.name == str(tmp_path / scored)
    assert left in caplog.text and bool(left) == bool(caplog.text)


def test_labels_of_a_table_that_the_model_does_not_have(tmp_path: Path) -> None:
    path = write(tmp_path, "path,label", "1.jpg,doge")
    with pytest.raises(LabelError) as caught:
        labelled_sources(path, CLASSES, "mine", "folder")
    assert str(caught.value) == (
        f"{path}: has labels that the model does not have: doge (did you mean dog?); "
        "mine has 3 classes: cat, dog, eel; rename them in the table, or name another model"
    )


def test_a_table_says_its_labels_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "path,label", "1.jpg,cat")
    with pytest.raises(UsageError, match="has a column of labels; leave out `labels_from`"):
        labelled_sources(path, CLASSES, "mine", "filename")

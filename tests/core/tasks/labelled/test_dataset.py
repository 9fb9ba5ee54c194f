from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.labelled.dataset import PassedOver, hidden_folders, read_dataset


def fill(root: Path, *files: str) -> None:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"text" if path.suffix == ".txt" else b"\xff\xd8\xff")


def test_class_folders(tmp_path: Path) -> None:
    fill(tmp_path, "b/2.jpg", "a/deep/1.jpg", "a/notes.txt", ".git/x.jpg", "loose.jpg")
    fill(tmp_path, "a/.hidden/3.jpg")
    dataset = read_dataset(tmp_path)
    assert dataset.labels == ("a", "b")
    assert [part.split for part in dataset.parts] == ["all"]
    found = [(Path(e.path).name, e.label, e.split) for e in dataset.examples()]
    assert found == [("1.jpg", "a", "all"), ("2.jpg", "b", "all")]
    assert hidden_folders(dataset) == [str(tmp_path / ".git")]


@pytest.mark.parametrize(
    ("train", "other", "split"),
    [
        ("train", "val", "validation"),
        ("training_set", "test_set", "test"),
        ("train_data", "test_data", "test"),
        ("train_images", "val_images", "validation"),
        ("seg_train/seg_train", "seg_test/seg_test", "test"),
        ("Training", "Testing", "test"),
        ("TrainSet", "validationSet", "validation"),
        ("train2017", "val2017", "validation"),
    ],
)
def test_parts_by_how_their_names_begin_or_end(
    tmp_path: Path, train: str, other: str, split: str
) -> None:
    fill(tmp_path, f"{train}/a/1.jpg", f"{train}/b/1.jpg", f"{other}/a/2.jpg")
    parts = {part.split: part for part in read_dataset(tmp_path).parts}
    assert set(parts) == {"train", split}
    assert parts["train"].labels == ("a", "b")
    assert [e.split for e in parts[split].examples()] == [split]  # type: ignore[index]
    assert read_dataset(tmp_path).passed_over == ()


def test_classes_that_are_called_train_and_test(tmp_path: Path) -> None:
    fill(tmp_path, "train/1.jpg", "test/2.jpg")
    assert read_dataset(tmp_path).labels == ("test", "train")


def test_a_class_of_trains_is_no_part(tmp_path: Path) -> None:
    fill(tmp_path, "train/1.jpg", "train/steam/3.jpg", "bus/2.jpg", "trains/4.jpg")
    assert read_dataset(tmp_path).labels == ("bus", "train", "trains")


@pytest.mark.posix
def test_what_is_passed_over(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data, "train/a/1.jpg", "test/a/1.jpg", "other/3.jpg", "imageNotFound.gif", "notes/n.txt")
    fill(data, "train/loose.jpg")
    fill(tmp_path, "elsewhere/2.jpg")
    (data / "train" / "b").symlink_to(tmp_path / "elsewhere")
    assert set(read_dataset(data).passed_over) == {
        PassedOver(str(data / "other"), "unused-folder"),
        PassedOver(str(data / "imageNotFound.gif"), "loose-image"),
        PassedOver(str(data / "train" / "loose.jpg"), "loose-image"),
        PassedOver(str(data / "train" / "b"), "linked-folder"),
    }


@pytest.mark.posix
def test_only_links(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere/2.jpg")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"its class folders are links \(b\)"):
        read_dataset(tmp_path / "data")


def test_composed_names(tmp_path: Path) -> None:
    fill(tmp_path, "train/m\u00fcll/1.jpg", "train/b/1.jpg", "val/mu\u0308ll/1.jpg", "val/b/2.jpg")
    dataset = read_dataset(tmp_path)
    assert dataset.labels == ("b", "m\u00fcll")
    assert {example.label for example in dataset.examples()} == {"b", "m\u00fcll"}


@pytest.mark.posix
def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, "data/a/1.jpg", "elsewhere/2.jpg")
    (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere")
    assert read_dataset(tmp_path / "data").labels == ("a",)


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder or table"):
        read_dataset(tmp_path / "none")
    with pytest.raises(UsageError, match="holds no class folders"):
        read_dataset(tmp_path)
    fill(tmp_path, "train/a/1.jpg", "training/a/1.jpg")
    with pytest.raises(UsageError, match="train and training both look like train folders"):
        read_dataset(tmp_path)


def test_a_table(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("path,label\n2.jpg,b\n1.jpg,a\n3.jpg,b\n")
    dataset = read_dataset(path)
    assert (dataset.folder, dataset.labels, dataset.passed_over) == (str(path), ("a", "b"), ())
    (part,) = dataset.parts
    assert (part.split, part.place("b")) == ("all", f"{path}: b")
    found = [(Path(e.path).name, e.label, e.split) for e in dataset.examples()]
    assert found == [("2.jpg", "b", "all"), ("1.jpg", "a", "all"), ("3.jpg", "b", "all")]
    assert hidden_folders(dataset) == []


def test_the_parts_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("path,label,split\n1.jpg,a,train\n2.jpg,a,val\n3.jpg,b,train\n")
    dataset = read_dataset(path)
    assert [(part.split, part.folder, part.names) for part in dataset.parts] == [
        ("train", f"{path} (train)", ("a", "b")),
        ("validation", f"{path} (validation)", ("a",)),
    ]
    assert [(Path(e.path).name, e.split) for e in dataset.examples()] == [
        *(("1.jpg", "train"), ("3.jpg", "train"), ("2.jpg", "validation")),
    ]

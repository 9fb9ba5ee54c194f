from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.labelled.dataset import SPLIT_NAMES, hidden_folders, read_dataset


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


@pytest.mark.parametrize("train", sorted(SPLIT_NAMES["train"]))
@pytest.mark.parametrize("split", ["validation", "test"])
def test_parts_under_their_usual_names(tmp_path: Path, train: str, split: str) -> None:
    for index, name in enumerate(sorted(SPLIT_NAMES[split])):  # type: ignore[index]
        root = tmp_path / str(index)
        fill(root, f"{train}/a/1.jpg", f"{train}/b/1.jpg", f"{name}/a/2.jpg")
        parts = {part.split: part for part in read_dataset(root).parts}
        assert set(parts) == {"train", split}
        assert parts["train"].labels == ("a", "b")
        assert [e.split for e in parts[split].examples()] == [split]  # type: ignore[index]


def test_classes_that_are_called_train_and_test(tmp_path: Path) -> None:
    fill(tmp_path, "train/1.jpg", "test/2.jpg")
    assert read_dataset(tmp_path).labels == ("test", "train")


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, "data/a/1.jpg", "elsewhere/2.jpg")
    (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere")
    assert read_dataset(tmp_path / "data").labels == ("a",)


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read_dataset(tmp_path / "none")
    with pytest.raises(UsageError, match="holds no class folders"):
        read_dataset(tmp_path)
    fill(tmp_path, "train/a/1.jpg", "training/a/1.jpg")
    with pytest.raises(UsageError, match="train and training both look like train folders"):
        read_dataset(tmp_path)

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.labelled.dataset import read_dataset
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.parts import chosen_parts


def fill(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\xff\xd8\xff")
    return root


def chosen(folder: Path, options: FinetuneOptions | None = None) -> dict[str, str]:
    dataset = chosen_parts(read_dataset(folder), options or FinetuneOptions())
    return {part.split: str(Path(part.folder).relative_to(folder)) for part in dataset.parts}


def test_what_is_learned_and_what_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    caplog.set_level(logging.INFO, "imgcls")
    plain = fill(tmp_path / "plain", "a/1.jpg", "b/1.jpg")
    assert chosen(plain) == {"train": "."}
    parts = ("train", "val", "test")
    whole = fill(tmp_path / "whole", *(f"{p}/{c}/1.jpg" for p in parts for c in "ab"))
    assert caplog.text == ""
    assert chosen(whole) == {"train": "train", "validation": "val"}
    assert f"{whole / 'test'}: not used; name it with `validation`" in caplog.text
    assert chosen(whole, FinetuneOptions(val_split=0.5)) == {"train": "train"}
    named = FinetuneOptions(validation=whole / "test")
    assert chosen(whole, named) == {"train": "train", "validation": "test"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["a/1.jpg"], r"holds one class \(a\); a classifier needs two"),
        (["photos/a/1.jpg", "photos/b/1.jpg"], r"one class \(photos\).*: name .*photos$"),
        (["train/a/1.jpg", "train/b/1.jpg", "val/c/1.jpg"], "class c is not in "),
        (["a\nb/1.jpg", "b/1.jpg"], "holds control characters; rename the class"),
    ],
)
def test_refused(tmp_path: Path, files: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chosen(fill(tmp_path, *files))


def test_validation_folder_of_parts(tmp_path: Path) -> None:
    data = fill(tmp_path / "data", "a/1.jpg", "b/1.jpg")
    aside = fill(tmp_path / "aside", "train/a/1.jpg", "test/a/1.jpg")
    with pytest.raises(UsageError, match="holds several parts; name one of them alone"):
        chosen(data, FinetuneOptions(validation=aside))


def write(folder: Path, *splits: str) -> Path:
    rows = (f"{number}.jpg,{'ab'[number % 2]},{split}" for number, split in enumerate(splits))
    (folder / "set.csv").write_text("\n".join(["path,label,split", *rows]))
    return folder / "set.csv"


@pytest.mark.parametrize(
    ("splits", "parts"),
    [
        (("", ""), ["train"]),
        (("train", "train"), ["train"]),
        (("train", "train", "val"), ["train", "validation"]),
        (("train", "train", "test"), ["train", "validation"]),
    ],
)
def test_the_splits_of_a_table(tmp_path: Path, splits: tuple[str, ...], parts: list[str]) -> None:
    dataset = chosen_parts(read_dataset(write(tmp_path, *splits)), FinetuneOptions())
    assert [part.split for part in dataset.parts] == parts
    assert sorted({example.split for example in dataset.examples()}) == parts


def test_rows_of_a_table_that_are_not_used_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    caplog.set_level(logging.INFO, "imgcls")
    path = write(tmp_path, "train", "train", "val", "test", "test")
    dataset = chosen_parts(read_dataset(path), FinetuneOptions())
    assert [part.split for part in dataset.parts] == ["train", "validation"]
    assert f"{path} (test): not used (2 rows)" in caplog.text


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (("test", "test"), "has no row of the split train to learn from"),
        (("train", "", "train"), "line 3: the split is empty"),
        (("train", "val", "train"), r"class b is not in .*set.csv \(train\); the classes of both"),
    ],
)
def test_tables_refused(tmp_path: Path, splits: tuple[str, ...], message: str) -> None:
    path = write(tmp_path, *splits)
    if splits[1] == "val":
        path.write_text("path,label,split\n1,a,train\n2,b,val\n3,c,train\n")
    with pytest.raises(UsageError, match=message):
        chosen_parts(read_dataset(path), FinetuneOptions())


def test_a_table_of_one_class(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text("path,label\n1.jpg,a\n")
    with pytest.raises(UsageError, match=r"set.csv: holds one class \(a\); a classifier needs two"):
        chosen_parts(read_dataset(tmp_path / "set.csv"), FinetuneOptions())

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
        (["a\nb/1.jpg", "b/1.jpg"], "holds control characters; rename the class folder"),
    ],
)
def test_refused(tmp_path: Path, files: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chosen(fill(tmp_path, *files))


def test_validation_folder_of_parts(tmp_path: Path) -> None:
    data = fill(tmp_path / "data", "a/1.jpg", "b/1.jpg")
    aside = fill(tmp_path / "aside", "train/a/1.jpg", "test/a/1.jpg")
    with pytest.raises(UsageError, match="holds several parts; name one of its folders"):
        chosen(data, FinetuneOptions(validation=aside))

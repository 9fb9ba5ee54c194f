from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from imgcls import audit
from imgcls.core.tasks.labelled.checks import TINY_CLASS
from imgcls.core.tasks.labelled.findings import KINDS


def kinds(folder: Path) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for finding in audit(folder).findings:
        assert finding.advice == KINDS[finding.kind].advice
        assert finding.severity == KINDS[finding.kind].severity
        paths = [str(Path(path).relative_to(folder)) for path in finding.paths]
        found.setdefault(finding.kind, []).append(paths)
    return found


def test_nothing(tmp_path: Path, draw_classes: Any) -> None:
    folder = draw_classes(tmp_path / "set", TINY_CLASS)
    report = audit(folder)
    assert report.findings == ()
    assert report.images == 2 * TINY_CLASS
    assert report.classes == {"squares": TINY_CLASS, "stripes": TINY_CLASS}
    assert report.splits == {}


def test_counts_of_each_part(tmp_path: Path, draw_classes: Any) -> None:
    draw_classes(tmp_path / "train_data", 3)
    draw_classes(tmp_path / "TestSet", 2)
    (tmp_path / "TestSet" / "more").mkdir()
    report = audit(tmp_path)
    assert report.classes == {"more": 0, "squares": 5, "stripes": 5}
    assert report.splits == {
        "test": {"more": 0, "squares": 2, "stripes": 2},
        "train": {"more": 0, "squares": 3, "stripes": 3},
    }


def test_names_composed_and_decomposed_are_one_class(tmp_path: Path, draw: Any) -> None:
    for name, seeds in (("m\u00fcll", range(3)), ("mu\u0308ll", range(3, 5))):
        (tmp_path / name).mkdir()
        for seed in seeds:
            draw("squares", seed).save(tmp_path / name / f"{seed}.png")
    report = audit(tmp_path)
    assert report.classes == {"m\u00fcll": 5}
    assert report.count("one-class") == 1


@pytest.mark.posix
def test_every_kind(tmp_path: Path, draw: Any, draw_classes: Any) -> None:
    folder = tmp_path / "set"
    train, test = draw_classes(folder / "train", 130), folder / "test"
    (train / "empty").mkdir()
    (train / ".cache").mkdir()
    for index in range(60, 130):
        (train / "stripes" / f"{index:03d}.png").unlink()
    for index in range(10, 60):
        (train / "stripes" / f"{index:03d}.png").unlink()
    (train / "squares" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    shutil.copy(train / "squares" / "000.png", train / "squares" / "again.png")
    draw("squares", 1).save(train / "squares" / "near.jpg", quality=80)
    shutil.copy(train / "squares" / "002.png", train / "stripes" / "wrong.png")
    (test / "squares").mkdir(parents=True)
    shutil.copy(train / "squares" / "003.png", test / "squares" / "seen.png")
    Image.effect_noise((500, 40), 80).save(train / "squares" / "long.png")
    for name, tone in (("dark", lambda grey: grey // 8), ("light", lambda grey: 223 + grey // 8)):
        Image.effect_noise((300, 200), 80).point(tone).save(train / "squares" / f"{name}.png")
    chess = np.kron(np.indices((3, 4)).sum(axis=0) % 2 * 245, np.ones((60, 60)))
    blurred = Image.fromarray(chess.astype(np.uint8)).filter(ImageFilter.GaussianBlur(9))
    blurred.save(train / "squares" / "blurred.png")
    Image.new("L", (300, 200), 120).save(train / "squares" / "blank.png")
    (train / os.fsdecode(b"\xc3")).mkdir()
    (train / "linked").symlink_to(test)
    draw("squares", 500).save(train / "loose.png")
    draw_classes(folder / "more", 1)
    before = sorted((p, p.stat().st_mtime_ns) for p in folder.rglob("*"))
    found = kinds(folder)
    assert list(found) == [kind for kind in KINDS if kind not in ("one-class", "doubtful-label")]
    assert found["unreadable"] == [["train/squares/broken.jpg"]]
    assert found["conflicting-labels"] == [["train/squares/002.png", "train/stripes/wrong.png"]]
    assert found["leak"] == [["test/squares/seen.png", "train/squares/003.png"]]
    odd = os.fsdecode(b"\xc3")
    assert found["class-name"] == [[f"train/{odd}"]]
    assert found["empty-class"] == [["train/empty"], [f"train/{odd}"]]
    assert found["missing-class"] == [["test/empty"], ["test/stripes"], [f"test/{odd}"]]
    assert found["linked-folder"] == [["train/linked"]]
    assert found["loose-image"] == [["train/loose.png"]]
    assert found["unused-folder"] == [["more"]]
    assert found["duplicates"] == [["train/squares/000.png", "train/squares/again.png"]]
    assert found["near-duplicates"] == [["train/squares/001.png", "train/squares/near.jpg"]]
    assert found["tiny-class"] == [["train/stripes"]]
    assert found["imbalance"] == [["train/squares", "train/stripes"]]
    assert found["odd-size"] == [["train/squares/long.png"]]
    for kind, name in (("blurred",) * 2, ("dark",) * 2, ("overexposed", "light"), ("blank",) * 2):
        assert found[kind] == [[f"train/squares/{name}.png"]]
    assert found["hidden-folder"] == [["train/.cache"]]
    assert sorted((p, p.stat().st_mtime_ns) for p in folder.rglob("*")) == before


@pytest.mark.parametrize(("part", "pairs"), [("train", 8), ("test", 2)])
def test_cars_and_flowers(cars_flowers: Path, part: str, pairs: int) -> None:
    found = kinds(cars_flowers)
    assert list(found) == ["conflicting-labels"]
    mine = [paths for paths in found["conflicting-labels"] if paths[0].startswith(part)]
    assert len(mine) == pairs
    for one, other in mine:
        assert Path(one).name == Path(other).name
        assert {Path(one).parent.name, Path(other).parent.name} == {"car", "flower"}


def test_a_table(tmp_path: Path, draw: Any) -> None:
    lines = ["path,label,split"]
    for seed in range(6):
        draw("squares", seed).save(tmp_path / f"{seed}.png")
        lines.append(f"{seed}.png,{'ab'[seed % 2]},train")
    shutil.copy(tmp_path / "0.png", tmp_path / "again.png")
    lines += ["again.png,b,test", "gone.png,a,test"]
    path = tmp_path / "set.csv"
    path.write_text("\n".join(lines))
    report = audit(path)
    assert report.images == 8
    assert report.splits == {"train": {"a": 3, "b": 3}, "test": {"a": 1, "b": 1}}
    assert report.findings[0].reason == "no such file"
    assert [(one.kind, list(one.paths)) for one in report.findings] == [
        ("unreadable", [str(tmp_path / "gone.png")]),
        ("conflicting-labels", [str(tmp_path / "0.png"), str(tmp_path / "again.png")]),
        ("leak", [str(tmp_path / "0.png"), str(tmp_path / "again.png")]),
        ("empty-class", [f"{path} (test): a"]),
        ("tiny-class", [f"{path} (train): a"]),
        ("tiny-class", [f"{path} (train): b"]),
    ]

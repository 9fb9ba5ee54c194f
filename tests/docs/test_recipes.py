"""The scripts of docs/recipes.md do what it says, as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "recipes.md").read_text("utf-8")
SCRIPTS = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)

pytestmark = [
    pytest.mark.posix,
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or not all(map(shutil.which, ("jq", "sqlite3", "flock"))),
        reason="the recipes use jq, sqlite3 and the tools of Linux",
    ),
]


@pytest.fixture
def folder(tmp_path: Path, samples: Path, compiled_default: Path) -> Path:
    """Return a folder with photos, one of them broken, and with labelled ones."""
    photos = tmp_path / "photos"
    shutil.copytree(samples, photos, ignore=shutil.ignore_patterns("*.md"))
    (photos / "broken.jpg").write_bytes((photos / "cat.jpg").read_bytes()[:5000])
    labels = {"cat": "tiger_cat", "coffee": "espresso", "flower": "daisy", "palace": "castle"}
    for name, label in labels.items():
        (tmp_path / "labelled" / label).mkdir(parents=True)
        shutil.copy(photos / f"{name}.jpg", tmp_path / "labelled" / label)
    return tmp_path


def run(number: int, folder: Path) -> str:
    """Run a recipe; return its standard output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SCRIPTS[number - 1]],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def records(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_there_are_ten() -> None:
    assert len(SCRIPTS) == 10


def test_1_a_second_run_adds_what_is_new(folder: Path) -> None:
    run(1, folder)
    first = (folder / "camera.jsonl").read_text()
    shutil.copy(folder / "photos" / "cat.jpg", folder / "photos" / "new.jpg")
    run(1, folder)
    assert (folder / "camera.jsonl").read_text().startswith(first)
    assert [Path(str(one["path"])).name for one in records(folder / "camera.jsonl")] == [
        *("broken.jpg", "cat.jpg", "coffee.jpg", "flower.jpg", "palace.jpg", "rocket.jpg"),
        "new.jpg",
    ]


def test_2_names_may_hold_anything(folder: Path) -> None:
    (folder / "photos" / "broken.jpg").rename(folder / "photos" / "x.txt")
    (folder / "photos" / "cat.jpg").rename(folder / "photos" / "a\nb c.jpg")
    lines = run(2, folder).splitlines()
    assert len(lines) == 5
    assert "photos/coffee.jpg: espresso (95.36%)" in lines
    assert any(line.endswith("b c.jpg: tiger_cat (37.45%)") for line in lines)


def test_3_labels_are_counted(folder: Path) -> None:
    shutil.copy(folder / "photos" / "coffee.jpg", folder / "photos" / "more.jpg")
    lines = [line.split() for line in run(3, folder).splitlines()]
    assert lines[0] == ["2", "espresso"] and len(lines) == 5


def test_4_the_surest_is_first(folder: Path) -> None:
    lines = run(4, folder).splitlines()
    assert lines[0].strip('"') == "photos/coffee.jpg,espresso,0.95" and len(lines) == 5


def test_5_all_is_back_in_its_place(folder: Path) -> None:
    before = sorted(path.name for path in (folder / "photos").iterdir())
    shown = run(5, folder).splitlines()
    assert f"{folder}/photos/coffee.jpg -> {folder}/sorted/espresso/coffee.jpg" in shown
    assert sorted(path.name for path in (folder / "photos").iterdir()) == before


def test_6_a_page_of_the_unknown(folder: Path) -> None:
    run(6, folder)
    names = (folder / "unknown.txt").read_text().split()
    assert names == [f"photos/{name}.jpg" for name in ("cat", "flower", "palace", "rocket")]
    page = (folder / "unknown.html").read_text("utf-8")
    assert "flower.jpg" in page and "coffee.jpg" not in page


def test_7_a_page_with_the_date_in_its_name(folder: Path) -> None:
    run(7, folder)
    assert "castle" in (folder / f"report-{date.today()}.html").read_text("utf-8")
    assert "75.00%" in (folder / f"report-{date.today()}.txt").read_text()


def test_8_good_enough(folder: Path) -> None:
    run(8, folder)
    assert json.loads((folder / "figures.json").read_text())["top1"] == 0.75


def test_9_a_heatmap_of_each_mistake(folder: Path) -> None:
    run(9, folder)
    assert (folder / "mistakes.txt").read_text() == "labelled/castle/palace.jpg\n"
    assert [path.name for path in (folder / "mistakes").rglob("*.png")] == ["palace.heatmap.png"]


def test_10_the_parts_are_the_whole(folder: Path) -> None:
    run(10, folder)
    found = [one["path"] for one in records(folder / "all.jsonl")]
    assert found == (folder / "all.txt").read_text().split() and len(found) == 6

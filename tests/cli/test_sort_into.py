from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def photos(samples: Path, tmp_path: Path) -> Path:
    """Return a folder of two photos and a broken one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("cat.jpg", "coffee.jpg"):
        shutil.copy(samples / name, folder)
    (folder / "broken.jpg").write_bytes((samples / "cat.jpg").read_bytes()[:3000])
    return folder


def files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_move_and_undo(imgcls: Imgcls, photos: Path, tmp_path: Path) -> None:
    done = imgcls(
        *("predict", "photos", "-k1", "--min-confidence", "0.5"),
        *("--sort-into", "sorted", "--sort-mode", "move"),
    )
    assert done.returncode == 3
    first = done.stdout.splitlines()[0]
    assert first == f"{Path('photos', 'broken.jpg')}: error: truncated JPEG"
    assert len(done.stdout.splitlines()) == 3
    assert files(tmp_path) == [
        "sorted/errors/broken.jpg",
        "sorted/espresso/coffee.jpg",
        "sorted/manifest.csv",
        "sorted/unknown/cat.jpg",
    ]
    manifest = tmp_path / "sorted" / "manifest.csv"
    assert f"sorted 3 images into {tmp_path / 'sorted'}; to undo: --undo {manifest}" in done.stderr

    done = imgcls("predict", "--undo", "sorted/manifest.csv")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{tmp_path / 'sorted' / 'espresso' / 'coffee.jpg'} -> {photos / 'coffee.jpg'}",
        f"{tmp_path / 'sorted' / 'unknown' / 'cat.jpg'} -> {photos / 'cat.jpg'}",
        f"{tmp_path / 'sorted' / 'errors' / 'broken.jpg'} -> {photos / 'broken.jpg'}",
    ]
    assert files(photos) == ["broken.jpg", "cat.jpg", "coffee.jpg"]
    done = imgcls("predict", "--undo", "sorted/manifest.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "sorted/manifest.csv: nothing to take back\n"


def test_dry_run_prints_the_plan_and_touches_nothing(
    imgcls: Imgcls, photos: Path, tmp_path: Path
) -> None:
    done = imgcls("predict", "photos", "photos/cat.jpg", "--sort-into", "sorted", "--dry-run")
    assert done.returncode == 3
    assert done.stdout.splitlines() == [
        f"{photos / 'broken.jpg'} -> {tmp_path / 'sorted' / 'errors' / 'broken.jpg'}",
        f"{photos / 'cat.jpg'} -> {tmp_path / 'sorted' / 'tiger_cat' / 'cat.jpg'}",
        f"{photos / 'coffee.jpg'} -> {tmp_path / 'sorted' / 'espresso' / 'coffee.jpg'}",
        f"{photos / 'cat.jpg'} -> {tmp_path / 'sorted' / 'tiger_cat' / 'cat-2.jpg'}",
    ]
    assert not (tmp_path / "sorted").exists()


def test_undo_dry_run_touches_nothing(imgcls: Imgcls, photos: Path, tmp_path: Path) -> None:
    sort = ("predict", "photos/cat.jpg", "--sort-into", "sorted")
    assert imgcls(*sort, "--sort-mode", "move").returncode == 0
    before = files(tmp_path)
    done = imgcls("predict", "--undo", "sorted/manifest.csv", "--dry-run")
    moved = tmp_path / "sorted" / "tiger_cat" / "cat.jpg"
    assert (done.returncode, done.stdout) == (0, f"{moved} -> {photos / 'cat.jpg'}\n")
    assert files(tmp_path) == before


def test_copies_are_removed_again(imgcls: Imgcls, photos: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    assert imgcls("predict", "photos", "--sort-into", "sorted").returncode == 3
    done = imgcls("predict", "--undo", "sorted/manifest.csv")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{tmp_path / 'sorted' / folder / name}: removed"
        for folder, name in (
            ("espresso", "coffee.jpg"),
            ("tiger_cat", "cat.jpg"),
            ("errors", "broken.jpg"),
        )
    ]
    assert files(tmp_path) == [*before, "sorted/manifest.csv"]


@pytest.mark.posix
@pytest.mark.parametrize("name", ["x.json", "x.html", "x.txt"])
def test_a_file_that_is_written_at_the_end_is_there_before_any_image_moves(
    imgcls: Imgcls, photos: Path, tmp_path: Path, name: str
) -> None:
    before = files(photos)
    arguments = ["predict", "photos", "--sort-into", "out", "--sort-mode", "move", "-o", name]
    # One block: the file does not fit, the manifest would.
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$0" -m imgcls "$@"', sys.executable, *arguments, "-k30"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"Error: {name}: cannot be written: File too large" in done.stderr
    assert files(photos) == before and not (tmp_path / name).exists()
    assert imgcls(*arguments).returncode == 3
    assert files(photos) == [] and (tmp_path / name).exists()
    assert len(files(tmp_path / "out")) == 4


@pytest.mark.posix
def test_every_moved_image_has_its_record_when_the_disk_fills_up(
    imgcls: Imgcls, samples: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "in"
    photos.mkdir()
    for number in range(12):
        shutil.copy(samples / "cat.jpg", photos / f"{number:02}.jpg")
    arguments = ["predict", "in", "--sort-into", "out", "--sort-mode", "move", "-o", "x.jsonl"]
    # No file may grow beyond three kilobytes: the same error path as a full disk.
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 3; exec "$0" -m imgcls "$@"', sys.executable, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "x.jsonl: cannot be written: File too large" in done.stderr
    records = [json.loads(line) for line in (tmp_path / "x.jsonl.part").read_text().splitlines()]
    moved = sorted(path.name for path in (tmp_path / "out").rglob("*.jpg"))
    assert 0 < len(moved) < 12
    assert sorted(Path(record["path"]).name for record in records) == moved
    done = imgcls(*arguments, "--resume")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "x.jsonl").read_text().splitlines()
    assert [Path(json.loads(line)["path"]).name for line in lines] == [
        f"{number:02}.jpg" for number in range(12)
    ]
    assert len(list((tmp_path / "out" / "tiger_cat").iterdir())) == 12
    assert list(photos.iterdir()) == []
    done = imgcls(*arguments, "--resume")
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 images in" in done.stderr and "12 were there already" in done.stderr
    # What was moved is no longer there to be classified again: its record is not replaced.
    shutil.copy(samples / "cat.jpg", photos / "new.jpg")
    done = imgcls(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "x.jsonl: has results of other inputs (in/00.jpg); --force replaces it" in done.stderr
    assert imgcls(*arguments, "--resume").returncode == 0
    assert len((tmp_path / "x.jsonl").read_text().splitlines()) == 13


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photos", "--sort-into", "photos/out"], "photos/out: lies in photos, which is to be"),
        (["photos", "--dry-run"], "--sort-mode and --dry-run go with --sort-into"),
        (["photos", "--sort-mode", "move"], "--sort-mode and --dry-run go with --sort-into"),
        (["photos", "--sort-into", "o", "--dry-run", "-f", "csv"], "leave out -o and -f"),
        (["photos", "--undo", "m.csv"], "--undo goes alone"),
        (["--undo", "m.csv"], "m.csv: the manifest cannot be read: no such file or directory"),
    ],
)
def test_wrong_usage(imgcls: Imgcls, photos: Path, arguments: list[str], message: str) -> None:
    done = imgcls("predict", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert files(photos) == ["broken.jpg", "cat.jpg", "coffee.jpg"]


def test_a_run_that_stops_early_says_how_to_undo(
    imgcls: Imgcls, photos: Path, tmp_path: Path
) -> None:
    done = imgcls("predict", "photos/cat.jpg", "nix.jpg", "--fail-fast", "--sort-into", "out")
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert (
        f"sorted 1 image into {tmp_path}/out; to undo: --undo {tmp_path}/out/manifest.csv" in said
    )
    assert said[-1] == "Error: nix.jpg: no such file; stopped (--fail-fast)"

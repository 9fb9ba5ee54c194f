"""`imgcls features` as a process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


def test_every_input_has_its_row(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    done = imgcls("features", samples / "cat.jpg", "bad.jpg", "gone.jpg", "-o", "out.npz")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[1] == "Warning: gone.jpg: no such file"
    assert "3 images in " in done.stderr and "2 failed" in done.stderr
    with np.load(tmp_path / "out.npz") as file:
        assert file["paths"].tolist() == [str(samples / "cat.jpg"), "bad.jpg", "gone.jpg"]
        assert file["errors"][0] == "" and file["errors"][2] == "no such file"
        assert np.isfinite(file["features"]).all(axis=1).tolist() == [True, False, False]
    assert sorted(os.listdir(tmp_path)) == ["bad.jpg", "out.npz"]
    # Its own kind of output may be replaced, by the same inputs.
    assert imgcls("features", samples, "bad.jpg", "gone.jpg", "-o", "out.npz").returncode == 3


@pytest.mark.parametrize(
    "name",
    [
        "out.jsonl",
        *(
            pytest.param(f"out.{e}", marks=pytest.mark.slow)
            for e in ("npz", "npy", "parquet", "csv")
        ),
    ],
)
def test_killed_then_resumed_equals_an_uninterrupted_run(
    imgcls: Imgcls, samples: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "in" / "class").mkdir(parents=True)
    photos = sorted(samples.glob("*.jpg"))
    for number in range(100):
        # Bytes after a photo's end make another file of it, which the cache does not know.
        content = photos[number % len(photos)].read_bytes() + f"{name} {number}".encode()
        (tmp_path / "in" / "class" / f"{number:03}.jpg").write_bytes(content)
    moments = random.Random(3)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-m", "imgcls", "features", "in", "-o", name, "--resume"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
        )
        try:
            child.communicate(timeout=moments.uniform(0.2, 1.2))
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
    done = imgcls("features", "in", "-o", name, "--resume")
    assert done.returncode == 0, done.stderr
    assert imgcls("features", "in", "-o", f"whole-{name}").returncode == 0
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()
    assert not list(tmp_path.glob("*.part"))


def test_what_is_done_is_not_done_again(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    first = imgcls("features", samples, "bad.jpg", "-o", "out.npz", "--fail-fast")
    assert first.returncode == 1
    assert "out.npz.part has the 6 records that are done; the same command with --resume" in (
        first.stderr
    )
    assert not (tmp_path / "out.npz").exists()
    again = imgcls("features", samples, "bad.jpg", "-o", "out.npz", "--resume")
    assert again.returncode == 0 and "6 were there already" in again.stderr
    with np.load(tmp_path / "out.npz") as file:
        assert file["features"].shape == (6, 1280)


def test_resume_with_another_model_mixes_no_rows(
    imgcls: Imgcls, samples: Path, two_classes: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    imgcls("features", samples, "bad.jpg", "-o", "out.npy", "--fail-fast")
    part = (tmp_path / "out.npy.part").read_bytes()
    assert part.startswith(b'{"features": 1280}\n')
    (tmp_path / "out.npy.part").write_bytes(part.replace(b"1280", b"0640", 1))
    done = imgcls("features", samples, "-o", "out.npy", "--resume")
    assert done.returncode == 0 and "all are done again" in done.stderr
    assert np.load(tmp_path / "out.npy").shape == (5, 1280)


def test_an_output_of_a_known_format_is_needed_and_no_other_array_is_replaced(
    imgcls: Imgcls, samples: Path, tmp_path: Path
) -> None:
    assert imgcls("features", samples / "cat.jpg").returncode == 2
    done = imgcls("features", samples / "cat.jpg", "-o", "out.txt")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: out.txt: is no known format; end it in one of .npz")
    np.save(tmp_path / "mine.npy", np.zeros((2, 3), np.float32))
    before = (tmp_path / "mine.npy").read_bytes()
    done = imgcls("features", samples / "cat.jpg", "-o", "mine.npy")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: mine.npy: exists and is not an earlier output")
    assert (tmp_path / "mine.npy").read_bytes() == before


@pytest.mark.posix
def test_a_full_disk_leaves_the_earlier_output(
    imgcls: Imgcls, samples: Path, tmp_path: Path
) -> None:
    assert imgcls("features", samples / "cat.jpg", "-o", "out.npz").returncode == 0
    earlier = (tmp_path / "out.npz").read_bytes()
    limited = 'ulimit -f 8; exec "$0" -m imgcls features "$1" "$1" -o out.npz'
    done = subprocess.run(
        ["bash", "-c", limited, sys.executable, str(samples)],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Error: out.npz: cannot be written: File too large\n" in done.stderr
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "out.npz").read_bytes() == earlier


def test_of_nothing_but_failures_no_output_is_made(imgcls: Imgcls, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    done = imgcls("features", "bad.jpg", "gone.jpg", "-o", "out.npz")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:] == [
        "Warning: gone.jpg: no such file",
        "Error: no image could be read (2 failed)",
    ]
    assert os.listdir(tmp_path) == ["bad.jpg"]


@pytest.mark.slow
def test_features_of_other_inputs_are_not_replaced(
    imgcls: Imgcls, samples: Path, tmp_path: Path
) -> None:
    cat, coffee = samples / "cat.jpg", samples / "coffee.jpg"
    assert imgcls("features", cat, "-o", "out.csv").returncode == 0
    before = (tmp_path / "out.csv").read_bytes()
    done = imgcls("features", coffee, "-o", "out.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: out.csv: has results of other inputs ({cat}); --force replaces it, --resume "
        "adds to it\n"
    )
    assert (tmp_path / "out.csv").read_bytes() == before
    done = imgcls("features", coffee, "-o", "out.csv", "--force")
    assert done.returncode == 0, done.stderr
    assert str(cat) not in (tmp_path / "out.csv").read_text()
    done = imgcls("features", coffee, "-o", "out.csv", "--force", "--resume")
    assert (done.returncode, done.stderr) == (
        *(2, "Error: --force replaces the file of --output; it does not go with --resume\n"),
    )


def test_nothing_is_fetched_or_compiled_for_no_photo(imgcls: Imgcls, tmp_path: Path) -> None:
    """Weights that are not here, and which may not be fetched, would be an error."""
    done = imgcls("features", "gone", "gone.jpg", "-o", "out.npz", "-m", "resnet50")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Warning: gone: no such file",
        "Warning: gone.jpg: no such file",
        "Error: no image could be read (2 failed)",
    ]
    assert os.listdir(tmp_path) == []
    stopped = imgcls("features", "gone", "-o", "out.npz", "-m", "resnet50", "--fail-fast")
    assert stopped.returncode == 1
    assert stopped.stderr.splitlines()[-1] == "Error: gone: no such file; stopped (--fail-fast)"


def test_a_layer_that_is_not_there(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    done = imgcls("features", samples / "cat.jpg", "-o", "out.npz", "--features", "top_con")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: top_con: no such layer; did you mean top_conv or ")
    assert done.stderr.count("\n") == 1 and os.listdir(tmp_path) == []

"""`predict --resume` and signals, with real processes that are really killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def many(tmp_path: Path, samples: Path) -> Path:
    """Return a folder with 60 names of five photos."""
    folder = tmp_path / "many"
    folder.mkdir()
    photos = sorted(samples.glob("*.jpg"))
    for number in range(60):
        (folder / f"{number:03}.jpg").write_bytes(photos[number % len(photos)].read_bytes())
    return folder


def _start(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "imgcls", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("name", ["out.jsonl", pytest.param("out.csv", marks=pytest.mark.slow)])
def test_killed_at_random_moments_then_resumed_equals_an_uninterrupted_run(
    imgcls: Imgcls, tmp_path: Path, many: Path, name: str
) -> None:
    assert imgcls("predict", "many", "-o", f"whole-{name}").returncode == 0
    moments = random.Random(7)
    for _ in range(6):
        child = _start("predict", "many", "-o", name, "--resume", cwd=tmp_path)
        try:
            child.communicate(timeout=moments.uniform(0.2, 0.8))
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
    done = imgcls("predict", "many", "-o", name, "--resume")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()


@pytest.mark.posix
@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_ends_it_soon_even_within_a_large_image(
    imgcls: Imgcls, tmp_path: Path, samples: Path, sent: signal.Signals, code: int, word: str
) -> None:
    imgcls("predict", samples / "cat.jpg")  # compiled by now
    # A small image, then 50 megapixels that take a second each to decode.
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes((samples / "cat.jpg").read_bytes())
    with Image.open(samples / "palace.jpg") as photo:
        photo.resize((8000, 6250)).save(tmp_path / "in" / "b.png", compress_level=1)
    for copy in "cdefghij":
        os.link(tmp_path / "in" / "b.png", tmp_path / "in" / f"{copy}.png")
    child = _start("predict", "in", "-o", "out.jsonl", cwd=tmp_path)
    part, journal = tmp_path / "out.jsonl.part", tmp_path / ".out.jsonl.resume"
    deadline = time.monotonic() + 60
    # A record is done once its row is in the journal, which is written after it.
    while not (journal.exists() and journal.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(sent)
    sent_at = time.monotonic()
    stdout, stderr = child.communicate(timeout=60)
    assert time.monotonic() - sent_at < 2
    assert child.returncode == code
    assert stdout == b""
    *progress, warning, error = stderr.decode().splitlines()
    assert all(" images/s" in line for line in progress), stderr  # a machine that takes over 10 s
    assert warning.endswith("records that are done; the same command with --resume goes on")
    assert error == f"Error: {word}"
    lines = part.read_text().splitlines()
    assert [json.loads(line)["path"] for line in lines][:1] == [os.path.join("in", "a.jpg")]
    assert not (tmp_path / "out.jsonl").exists()


def test_resume_needs_an_output_that_grows(imgcls: Imgcls, samples: Path) -> None:
    done = imgcls("predict", samples / "cat.jpg", "--resume")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: --resume goes with --output FILE in jsonl or csv\n"


@pytest.mark.posix
@pytest.mark.parametrize("name", ["out.jsonl", "out.txt", "out.html"])
def test_a_disk_that_fills_up_leaves_the_earlier_output(
    imgcls: Imgcls, tmp_path: Path, samples: Path, name: str
) -> None:
    assert imgcls("predict", samples / "cat.jpg", "-o", name).returncode == 0
    earlier = (tmp_path / name).read_bytes()
    # No file may grow beyond a kilobyte: the same error path as a full disk.
    limited = 'ulimit -f 1; exec "$0" -m imgcls predict "$1" "$1" -o "$2" --top 20'
    done = subprocess.run(
        ["bash", "-c", limited, sys.executable, str(samples), name],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"Error: {name}: cannot be written: File too large\n" in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert (tmp_path / name).read_bytes() == earlier
    assert not list(tmp_path.glob("*.tmp")) and not list(tmp_path.glob(".*.tmp"))

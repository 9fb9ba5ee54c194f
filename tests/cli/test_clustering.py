"""`--cluster`: what is refused at once, and, slow, the real thing on real Ray nodes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from imgcls.cli.main import run

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["predict", *arguments])
    return code, capsys.readouterr().err.removeprefix("Error: ").strip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--part-size", "9"], "--part-size goes with --cluster"),
        (
            ["--cluster", "local", "-o", "out", "--resume", "--fail-fast"],
            "--cluster does not go with --fail-fast or --resume",
        ),
        (
            ["--cluster", "http://x", "-o", "out"],
            "--cluster http://x: is no address; use local, auto or ray://HOST:PORT",
        ),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert error_of(capsys, "in", *arguments) == (2, said)


def test_wrong_output(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray")
    local = ("in", "--cluster", "local")
    said = "--cluster writes a folder of parts; name it with --output"
    assert error_of(capsys, *local) == (2, said)
    said = "--cluster writes parquet or jsonl; leave out --format csv"
    assert error_of(capsys, *local, "-o", "out", "-f", "csv") == (2, said)


def parts_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*"))


@pytest.mark.slow
@pytest.mark.posix
def test_the_parts_are_what_one_machine_writes(
    imgcls: Imgcls, samples: Path, tmp_path: Path
) -> None:
    """One start of Ray for all: parts, summary, restart, errors, nothing left behind."""
    pytest.importorskip("ray")
    (tmp_path / "in").mkdir()
    photos = sorted(samples.glob("*.jpg"))
    for number in range(20):
        os.link(photos[number % len(photos)], tmp_path / "in" / f"{number:02}.jpg")
    (tmp_path / "in" / "05.jpg").unlink()
    (tmp_path / "in" / "05.jpg").write_bytes(b"\xff\xd8\xff")
    assert imgcls("predict", "in", "-o", "single.jsonl").returncode == 3
    single = (tmp_path / "single.jsonl").read_bytes()
    cluster = ("predict", "in", "--cluster", "local", "-f", "jsonl", "--part-size", "8")

    done = imgcls(*cluster, "-o", "out")
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("20 images in ")
    parts = parts_in(tmp_path / "out")
    assert b"".join(part.read_bytes() for part in parts) == single
    summary = json.loads((tmp_path / "out" / "_summary.json").read_text())
    assert (summary["images"], summary["ok"], summary["failed"]) == (20, 19, 1)
    assert summary["errors"][0]["path"] == os.path.join("in", "05.jpg")

    # An output part that is cut is made again, and nothing else.
    parts[1].write_bytes(parts[1].read_bytes()[:-1])
    kept = {part: part.stat().st_mtime_ns for part in (parts[0], parts[2])}
    done = imgcls(*cluster, "-o", "out")
    assert done.returncode == 3 and "16 images" not in done.stderr
    assert "12 were there already" in done.stderr, done.stderr
    assert {part: part.stat().st_mtime_ns for part in kept} == kept
    assert b"".join(part.read_bytes() for part in parts_in(tmp_path / "out")) == single

    # All is there: no Ray is started.
    done = imgcls(*cluster, "-o", "out")
    assert done.stderr.startswith("0 images in 0.") and "20 were there already" in done.stderr

"""`imgcls export` as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Imgcls
from tests.core.engines.test_described import POOLED, head, write


@pytest.mark.slow
def test_it_says_what_it_wrote(imgcls: Imgcls, tmp_path: Path) -> None:
    write(tmp_path / "m.safetensors", POOLED, head(5))
    done = imgcls("export", "m.safetensors", "-o", "m.tflite")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("m.tflite: LiteRT float32, ")
    assert done.stdout.endswith("on 8 images (at most 1e-04)\n")
    assert done.stderr.splitlines() == [
        "m.safetensors: writing m.tflite and comparing its scores",
        "labels and preprocessing are in the file",
    ]
    assert sorted(os.listdir(tmp_path)) == ["m.safetensors", "m.tflite"]


@pytest.mark.slow
def test_it_comes_back_through_import(imgcls: Imgcls, tmp_path: Path, samples: Path) -> None:
    write(tmp_path / "m.safetensors", POOLED, head(5))
    photo = samples / "cat.jpg"
    said = imgcls("predict", photo, "-m", "m.safetensors", "--engine", "keras").stdout
    assert imgcls("export", "m.safetensors", "-o", "m.h5").returncode == 0
    assert imgcls("models", "import", "m.h5", "-o", "n.safetensors", "--trust").returncode == 0
    back = imgcls("predict", photo, "-m", "n.safetensors", "--engine", "keras").stdout
    assert back == said != ""


def test_usage_is_checked_before_any_work(imgcls: Imgcls, tmp_path: Path) -> None:
    done = imgcls("export", "efficientnet-lite0", "-o", "m.pt")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: m.pt: is no known format; end it in ")
    (tmp_path / "m.tflite").touch()
    done = imgcls("export", "efficientnet-lite0", "-o", "m.tflite")
    assert (done.returncode, done.stderr) == (
        1,
        "Error: m.tflite: is there already; --force replaces it\n",
    )


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_export_leaves_nothing(
    how: signal.Signals, imgcls: Imgcls, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("temporary")  # where libraries leave theirs
    write(tmp_path / "m.safetensors", POOLED, head(5))
    command = [sys.executable, "-m", "imgcls", "export", "m.safetensors", "-o", "m.tflite"]
    environment = os.environ | {"TMPDIR": str(elsewhere)}
    child = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    while len(os.listdir(tmp_path)) < 2:
        time.sleep(0.01)
    child.send_signal(how)
    _, said = child.communicate(timeout=60)
    assert child.returncode == {2: 130, 15: 143, 9: -9}[how], said
    if how == signal.SIGKILL:  # the next one removes what that one could not
        assert imgcls("export", "m.safetensors", "-o", "m.tflite").returncode == 0
        assert sorted(os.listdir(tmp_path)) == ["m.safetensors", "m.tflite"]
    else:
        assert os.listdir(tmp_path) == ["m.safetensors"]
    assert os.listdir(elsewhere) == []

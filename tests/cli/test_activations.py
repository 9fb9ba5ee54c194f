"""`imgcls activations` as a process."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.slow
def test_a_folder_with_arrays(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(samples / "cat.jpg", tmp_path / "in")
    (tmp_path / "in" / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    done = imgcls("activations", "in", "-o", "out", "--first", "2", "--raw", "-f", "jsonl")
    assert done.returncode == 3
    bad, good = map(json.loads, done.stdout.splitlines())
    assert (bad["path"], bad["status"], bad["output"]) == ("in/bad.jpg", "error", None)
    assert (good["class"], good["output"]) == ("tiger_cat", "out/cat.activations.png")
    assert [layer["layer"] for layer in good["layers"]] == ["stem_conv", "stem_bn"]
    with Image.open(tmp_path / good["output"]) as sheet:
        assert sheet.format == "PNG" and sheet.width > 1000
    with np.load(tmp_path / good["raw"]) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "stem_conv": (112, 112, 32),
            "stem_bn": (112, 112, 32),
        }
    # What imgcls drew is no input of the next run.
    again = imgcls("predict", "out")
    assert again.returncode == 1 and "no image found" in again.stderr


def test_an_output_is_needed_and_no_other_picture_is_replaced(
    imgcls: Imgcls, samples: Path, tmp_path: Path
) -> None:
    assert imgcls("activations", samples / "cat.jpg").returncode == 2
    (tmp_path / "mine.png").write_bytes((samples / "cat.jpg").read_bytes())
    done = imgcls("activations", samples / "cat.jpg", "-o", "mine.png")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: mine.png: exists and is not an earlier ")


def test_nothing_is_fetched_for_no_photo(imgcls: Imgcls) -> None:
    """Weights that are not here, and which may not be fetched, would be an error."""
    done = imgcls("activations", "gone.jpg", "-o", "out", "-m", "resnet50")
    assert (done.returncode, done.stdout) == (1, "gone.jpg: error: no such file\n")
    assert done.stderr == "Error: no image could be read (1 failed)\n"

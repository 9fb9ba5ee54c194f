from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

KERAS2 = Path(__file__).parent.parent / "keras2_files"


def test_import_says_what_it_did(imgcls: Any, tmp_path: Path, samples: Path) -> None:
    (tmp_path / "labels.txt").write_text("0 cat\n1 dog\n2 cup\n")
    (tmp_path / "nested.h5").write_bytes((KERAS2 / "nested.h5").read_bytes())
    photo = samples / "cat.jpg"
    done = imgcls(
        *("models", "import", "nested.h5", "-o", "m.safetensors", "--trust"),
        *("--scaling", "tf", "--resize", "pad", "--check", f"{photo}=dog"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "m.safetensors: a network of its author's own, 32×32 pixels, 3 classes\n"
    )
    lines = done.stderr.splitlines()
    assert lines[0] == "nested.h5: the labels are from labels.txt"
    assert lines[1].startswith("recognised: a network of its author's own, 9 layers, 356 param")
    assert "dropped, since it only matters in training: 1 Dropout" in lines
    assert "images: padded to 32×32, bilinear; RGB, x / 127.5 − 1" in lines
    assert lines[-5].startswith(f"{photo}: dog ") and " with tf (" in lines[-5]
    assert [line.split(":")[0] for line in lines[-4:]] == [
        f"  with --scaling {scaling}" for scaling in ("unit", "none", "torch", "caffe")
    ]
    info = imgcls("models", "info", "m.safetensors").stdout
    assert "described in the file: 9 layers, 356 parameters" in info
    assert "0 cat" not in info and "cat, dog, cup" in info


def test_import_asks_for_what_the_file_does_not_say(imgcls: Any, tmp_path: Path) -> None:
    command = ("models", "import", KERAS2 / "nested.h5", "-o", "m.safetensors")
    assert "say --trust" in imgcls(*command).stderr
    done = imgcls(*command, "--trust")
    assert done.returncode == 2
    assert "name a file with --labels" in done.stderr and "with --generic-labels" in done.stderr
    done = imgcls(*command, "--trust", "--generic-labels")
    assert done.returncode == 2
    assert "say it with --scaling (unit: pixels / 255; tf:" in done.stderr
    assert "a check is PHOTO=LABEL" in imgcls(*command, "--trust", "--check", "x.jpg").stderr
    assert not (tmp_path / "m.safetensors").exists()


def test_a_foreign_model_is_refused_with_the_way_on(imgcls: Any, samples: Path) -> None:
    done = imgcls("predict", samples / "cat.jpg", "-m", KERAS2 / "nested.keras")
    assert done.returncode == 1
    assert "is a Keras model; run imgcls models import" in done.stderr
    done = imgcls("models", "info", KERAS2 / "nested.h5")
    assert "is a Keras model; run imgcls models import" in done.stderr


@pytest.mark.slow
def test_a_model_that_is_there_is_overwritten_only_by_force(imgcls: Any, tmp_path: Path) -> None:
    command = ("models", "import", KERAS2 / "nested.h5", "-o", "m.safetensors", "--trust")
    how = ("--generic-labels", "--scaling", "unit")
    assert imgcls(*command, *how).returncode == 0
    earlier = (tmp_path / "m.safetensors").read_bytes()
    other = (*command, "--generic-labels", "--scaling", "tf")
    done = imgcls(*other)
    assert (done.returncode, done.stdout, done.stderr) == (
        *(1, ""),
        "Error: m.safetensors: exists; name another file, or use --force to overwrite it\n",
    )
    assert (tmp_path / "m.safetensors").read_bytes() == earlier
    assert imgcls(*other, "--force").returncode == 0
    assert (tmp_path / "m.safetensors").read_bytes() != earlier
    (tmp_path / "m.safetensors").write_text("mine")
    done = imgcls(*other, "--force")
    assert done.returncode == 1 and "exists and is no model file" in done.stderr
    assert (tmp_path / "m.safetensors").read_text() == "mine"

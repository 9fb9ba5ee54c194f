"""A model file that describes its network, through the commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imgcls.core.models.model_file import read_model_file
from tests.conftest import Imgcls
from tests.core.engines.test_described import POOLED, WHOLE, head, write


def test_predict_needs_no_tensorflow(imgcls: Imgcls, two_classes: Path, tmp_path: Path) -> None:
    write(tmp_path / "m.safetensors", POOLED, head(5))
    picture = two_classes / "stripes" / "000.png"
    first = imgcls("predict", picture, "-m", "m.safetensors")
    assert first.returncode == 0, first.stderr
    code = (
        "import sys; from imgcls import classify; "
        f"(record,) = classify({str(picture)!r}, 'm.safetensors'); "
        "assert len(record.predictions) == 3; "
        "print(sorted({'tensorflow', 'keras', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_layers_are_known_from_the_description(imgcls: Imgcls, tmp_path: Path) -> None:
    write(tmp_path / "m.safetensors", WHOLE, None)
    listed = imgcls("heatmap", "none.png", "-o", "h.png", "-m", "m.safetensors", "--layer", "list")
    assert listed.returncode == 0, listed.stderr
    lines = [line.split(maxsplit=1) for line in listed.stdout.splitlines()]
    assert ["conv2", "6×6×5  (default)"] in lines
    assert ["gap", "1×1×5"] in lines


@pytest.mark.slow
def test_train_further_and_again(imgcls: Imgcls, two_classes: Path, tmp_path: Path) -> None:
    """A whole classifier loses its own classes; what comes of it is trained like any other."""
    write(tmp_path / "m.safetensors", WHOLE, None)
    base, ways = "m", {"head": (), "some": ("--unfreeze", "1"), "all": ("--unfreeze", "all")}
    for name, how in ways.items():
        trained = imgcls(
            *("finetune", two_classes, "-m", f"{base}.safetensors", "-o", f"{name}.safetensors"),
            *("--epochs", "3", *how),
        )
        assert trained.returncode == 0, trained.stderr
        file = read_model_file(tmp_path / f"{name}.safetensors")
        assert file.head is not None and file.described is not None
        assert file.head.widths == (5, 2)
        assert "logits" not in file.described.shapes
        base = name
    picture = two_classes / "stripes" / "000.png"
    said = imgcls("predict", picture, "-m", "all.safetensors", "--top", "1")
    assert (said.returncode, said.stdout.count("\n")) == (0, 1), said.stderr


@pytest.mark.slow
def test_train_at_another_size_on_all_places(
    imgcls: Imgcls, two_classes: Path, tmp_path: Path
) -> None:
    write(tmp_path / "m.safetensors", WHOLE, None)
    how = ("--size", "24", "--features", "flatten", "--epochs", "3")
    done = imgcls("finetune", two_classes, "-m", "m.safetensors", "-o", "f.safetensors", *how)
    assert done.returncode == 0, done.stderr
    file = read_model_file(tmp_path / "f.safetensors")
    assert file.head is not None and file.described is not None
    assert file.described.input_shape == (24, 24, 3)
    assert file.head.widths == (10 * 10 * 5, 2)
    drawn = imgcls(
        "heatmap", two_classes / "stripes" / "000.png", *("-m", "f.safetensors"), *("-o", "h.png")
    )
    assert "  gradcam  conv2  " in drawn.stdout

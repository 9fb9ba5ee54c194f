from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.models.head import Head
from imgcls.core.models.model_file import ModelFile, write_model_file
from imgcls.core.models.table import MODELS


def write(path: Path) -> None:
    head = Head(((np.ones((1280, 2), np.float32), np.zeros(2, np.float32)),))
    file = ModelFile(
        backbone="efficientnet-lite0",
        backbone_weights="own",
        weights_sha256="5" * 64,
        head=head,
        labels=("cat", "dog"),
        preprocessing=MODELS["efficientnet-lite0"].preprocessing,
        training={"classes": {"cat": 3, "dog": 4}, "images": 7, "title\x1b[2J": 1},
        metrics={"val_accuracy": 0.5},
        versions={"imgcls": "0.1.0"},
    )
    write_model_file(path, file)


def test_info_text(imgcls: Any, tmp_path: Path) -> None:
    write(tmp_path / "m.safetensors")
    done = imgcls("models", "info", "m.safetensors")
    assert (done.returncode, done.stderr) == (0, "")
    facts = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert facts[:3] == [
        ["m.safetensors"],
        ["backbone", "efficientnet-lite0"],
        ["its", "weights", f"its own, SHA-256 {'5' * 64}"],
    ]
    for line in (
        "  head           1280 → 2\n",
        "  labels         cat, dog\n",
        "  val accuracy   0.5\n",
        "  classes        cat 3, dog 4\n",
        "  title\\x1b[2J   1\n",
        "  written with   imgcls 0.1.0\n",
    ):
        assert line in done.stdout


def test_info_json(imgcls: Any, tmp_path: Path) -> None:
    write(tmp_path / "m.safetensors")
    found = json.loads(imgcls("models", "info", "m.safetensors", "-f", "json").stdout)
    assert found["labels"] == ["cat", "dog"]
    assert found["head"] == [1280, 2]
    assert found["metrics"] == {"val_accuracy": 0.5}


def test_a_damaged_model_file_is_refused_by_each_command(imgcls: Any, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"x" * 100)
    for command in (("models", "info", "m.safetensors"), ("predict", "-m", "m.safetensors", ".")):
        done = imgcls(*command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "Error: m.safetensors: not a model file of imgcls, or damaged: "
            "it does not begin like one\n"
        )

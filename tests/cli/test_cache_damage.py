"""One flipped bit in any file of the cache: the answers stay, or are made anew."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.conftest import Imgcls

Answers = tuple[object, object, object, dict[str, object]]


def answers(imgcls: Imgcls, samples: Path, labelled: Path, env: dict[str, str]) -> Answers:
    def run(*arguments: str | Path) -> str:
        done = imgcls(*arguments, env=env)
        assert done.returncode in (0, 3), done.stderr
        assert "stumbled" not in done.stderr
        return done.stdout

    folder = Path(env["IMGCLS_CACHE"]).parent
    predictions = [json.loads(line) for line in run("predict", samples, "-f", "jsonl").splitlines()]
    run("heatmap", samples / "cat.jpg", "-o", folder / "map.png", "--raw")
    findings = json.loads(run("audit", labelled, "-f", "json"))
    model = folder / "model.safetensors"
    run("finetune", labelled, "-o", model, "--epochs", "2", "--force")
    tensors = {name: tensor.tolist() for name, tensor in load_file(model).items()}
    return predictions, np.load(folder / "map.npy").tolist(), findings, tensors


@pytest.mark.slow
def test_no_flipped_bit_changes_an_answer(
    imgcls: Imgcls, samples: Path, two_classes: Path, cache: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "cache"
    shutil.copytree(cache / "compiled", own / "compiled")
    env = {"IMGCLS_CACHE": str(own)}
    right = answers(imgcls, samples, two_classes, env)
    files = sorted(path for path in own.rglob("*") if path.is_file() and path.stat().st_size)
    kinds = {path.suffix for path in files}
    assert kinds >= {".tflite", ".json", ".npy", ".sqlite", ""}
    chance = random.Random(0)
    for file in files:
        if not file.exists():
            continue  # of another model, and made anew under another name
        content = bytearray(file.read_bytes())
        bit = chance.randrange(8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
        file.write_bytes(content)
        assert answers(imgcls, samples, two_classes, env) == right, (file.name, bit)

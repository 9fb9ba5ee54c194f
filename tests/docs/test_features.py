"""The examples of docs/features.md, run as they stand there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "features.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_examples(
    imgcls: Imgcls,
    tmp_path: Path,
    draw_classes: Callable[[Path, int], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw_classes(tmp_path / "photos", 12)
    monkeypatch.chdir(tmp_path)
    one = Path("photos/stripes/003.png")
    with Image.open(one) as photo:
        photo.save("photos/stripes/again.png", compress_level=1)
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("query.png")
    (command,) = re.findall(r"```console\n\$ imgcls (.*)\n```", PAGE)
    assert imgcls(*command.split()).returncode == 0
    by_row, classifier, search, duplicates = map(run, EXAMPLES)
    assert by_row["row"].features.shape == (1280,)
    assert classifier["accuracy"] > 0.9
    assert search["nearest"].shape == (3,)
    assert all(path.startswith("photos/stripes/") for path in search["nearest"])
    assert ("photos/stripes/003.png", "photos/stripes/again.png") in duplicates["duplicates"]
    for code in EXAMPLES[1:]:
        assert sum(line != "" for line in code.splitlines()) <= 10


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def test_it_says_what_is_in_an_npz(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    assert imgcls("features", samples / "cat.jpg", "-o", "cat.npz").returncode == 0
    with np.load(tmp_path / "cat.npz") as file:
        assert all(f"`{name}`" in PAGE for name in file)

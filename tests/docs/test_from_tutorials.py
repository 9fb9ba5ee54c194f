"""The Python of docs/from-tutorials.md runs; its commands are tried in test_commands.py."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: str) -> list[tuple[str, str, str]]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    return re.findall(r"```(\w*)( keras)?\n(.*?)```", text, re.DOTALL)


BLOCKS = blocks("from-tutorials.md")
COMMANDS = [line for kind, _, block in BLOCKS if not kind for line in block.splitlines()]
PYTHON = [block for kind, keras, block in BLOCKS if kind == "python" and not keras]
KERAS = [block for _, keras, block in BLOCKS if keras]


def test_the_page_has_commands_and_python() -> None:
    assert len(COMMANDS) >= 14 and len(PYTHON) >= 6 and len(KERAS) == 1


def test_the_chinese_page_has_the_same_commands_and_code() -> None:
    assert blocks("zh-CN/from-tutorials.md") == BLOCKS


@pytest.mark.slow
def test_the_python_runs(
    tmp_path: Path, samples: Path, compiled_default: Path, draw_classes: Callable[[Path, int], Path]
) -> None:
    shutil.copytree(samples, tmp_path / "sample_images")
    draw_classes(tmp_path / "photos", 12)
    # The snippets follow one another, as on the page.
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(PYTHON)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("tiger_cat 0.37") and len(lines) == 3
    assert float(lines[1]) == float(lines[2].split()[0]) > 0.5
    assert (tmp_path / "why.png").is_file() and (tmp_path / "mine.safetensors").is_file()


@pytest.mark.network
def test_the_first_command_gives_the_scores_of_keras(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import imgcls

    shutil.copytree(samples, tmp_path / "sample_images")
    monkeypatch.chdir(tmp_path)
    names: dict[str, list[tuple[str, str, float]]] = {}
    exec(KERAS[0], names)
    model = imgcls.load_model("vgg16")
    how = {"resize": "squash", "interpolation": "nearest"}
    (record,) = imgcls.classify("sample_images/cat.jpg", model, top=3, **how)
    found = [(one.class_id, one.label) for one in record.predictions]
    assert found == [row[:2] for row in names["predictions"]]
    scores = [one.score for one in record.predictions]
    np.testing.assert_allclose(scores, [row[2] for row in names["predictions"]], atol=1e-3)

"""The diffs of CONTRIBUTING.md still apply, and what they add works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIFFS = re.findall(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the program with all the diffs applied."""
    folder = tmp_path_factory.mktemp("changed")
    ignore = shutil.ignore_patterns("__pycache__", "images", "zh-CN")
    for name in ("src", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copy(ROOT / "README.md", folder)
    for diff in DIFFS:
        subprocess.run(
            ["git", "apply", "-"], cwd=folder, input=diff.encode(), check=True, capture_output=True
        )
    return folder / "src"


@pytest.fixture
def run(changed: Path, samples: Path, compiled_default: Path) -> Run:
    environment = os.environ | {"PYTHONPATH": str(changed)}
    environment.pop("COLUMNS", None)  # with it, help is not taken from the texts made ahead

    def process(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "imgcls", *arguments],
            cwd=samples,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

    return process


def test_there_are_four() -> None:
    assert len(DIFFS) == 4


def test_a_model(run: Run) -> None:
    assert "mobilenet-050" in run("models", "list").stdout


def test_a_heatmap_method(run: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "cat.png")
    done = run("heatmap", "cat.jpg", "--method", "eigengradcam", "-o", out)
    assert "eigengradcam  top_activation  tiger_cat (37.45%)" in done.stdout


def test_an_output_format(run: Run) -> None:
    assert run("predict", "cat.jpg", "-f", "tsv").stdout.startswith("cat.jpg\ttiger_cat\t0.3745")


def test_a_command(run: Run, changed: Path) -> None:
    assert "labels  " not in run("--help").stdout
    subprocess.run(
        [sys.executable, changed.parent / "docs" / "generate.py"],
        env=os.environ | {"PYTHONPATH": str(changed)},
        check=True,
    )
    assert "labels  " in run("--help").stdout
    assert run("labels").stdout.splitlines()[282] == "n02123159  tiger_cat"

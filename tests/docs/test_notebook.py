"""docs/notebook.ipynb runs, and shows what its cells give."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.docs.scripts import load_script

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "notebook.ipynb").read_text("utf-8")
NOTEBOOK = json.loads(TEXT)


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    return load_script("docs/run_notebook.py")


def test_it_is_small_and_ends_with_pictures(runner: ModuleType) -> None:
    assert len(TEXT) < 300_000
    cells = runner.code_cells(NOTEBOOK)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert all("image/jpeg" in cell["outputs"][-1]["data"] for cell in cells[-2:])
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])


def test_it_names_no_place_of_a_machine() -> None:
    prose = re.sub(r"[A-Za-z0-9+/=]{100,}", "", TEXT)
    assert not re.search(r"/(home|tmp|root|Users|work|var)/|C:\\\\", prose)


@pytest.mark.parametrize(
    ("source", "outputs"),
    [
        ("a = 1", []),
        ("print(a)\na + 1", [("text", "2\n"), ("text/plain", "3")]),
        ("None", []),
    ],
)
def test_a_cell_prints_and_shows_its_last_line(
    source: str, outputs: list[tuple[str, str]], runner: ModuleType
) -> None:
    done = runner.run(source, {"a": 2}, 1)
    found = [next(iter(each.get("data", {"text": each.get("text")}).items())) for each in done]
    assert [(kind, "".join(lines)) for kind, lines in found] == outputs


@pytest.mark.slow
def test_its_cells_give_what_they_show(
    tmp_path: Path,
    samples: Path,
    compiled_default: Path,
    runner: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "docs").mkdir()
    shutil.copytree(samples, tmp_path / "sample_images")
    monkeypatch.chdir(tmp_path / "docs")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cells = runner.code_cells(NOTEBOOK)
    for cell, outputs in zip(cells, runner.outputs_of(NOTEBOOK), strict=True):
        assert len(outputs) == len(cell["outputs"]), cell["id"]
        for now, shown in zip(outputs, cell["outputs"], strict=True):
            if "text" in shown:
                assert now["text"] == shown["text"]
            else:
                assert_alike(now["data"], shown["data"])


def assert_alike(now: dict[str, Any], shown: dict[str, Any]) -> None:
    """Compare titles exactly and pictures nearly: a library of JPEG may round otherwise."""
    assert now.keys() == shown.keys()
    for kind, value in shown.items():
        if kind.startswith("image/"):
            a, b = (np.asarray(decoded(data), np.float32) for data in (now[kind], value))
            assert a.shape == b.shape and np.abs(a - b).mean() < 4
        else:
            assert title("".join(now[kind])) == title("".join(value))


def decoded(data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def title(page: str) -> str:
    """Return the first line of what a result shows; the tests of its room know the rest."""
    return page.partition("</p>")[0]

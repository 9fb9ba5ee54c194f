"""What the documentation takes from the code is up to date."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from imgcls.core.models.table import MODELS
from tests.docs.scripts import load_script

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    return load_script("docs/generate.py")


def test_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"], capture_output=True, check=False
    )
    assert done.stderr.decode() == ""
    assert done.returncode == 0


def test_table_has_a_line_for_every_model(generate: ModuleType) -> None:
    lines = generate.models().splitlines()[2:]
    assert [line.split("`")[1] for line in lines] == list(MODELS)
    assert {line.count(" | ") for line in lines} == {9}
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    assert "\n".join(lines) in page


def test_only_what_is_marked_changes(generate: ModuleType) -> None:
    page = "before\n<!-- generated: help predict -->\nold\n<!-- end -->\nafter\n"
    filled = generate.filled(page)
    assert filled.startswith("before\n<!-- generated: help predict -->\n```\nUsage: imgcls predict")
    assert filled.endswith("```\n<!-- end -->\nafter\n")
    assert "\nold\n" not in filled
    assert generate.filled(filled) == filled


def test_help_is_what_the_terminal_shows(generate: ModuleType) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "imgcls", "models", "fetch", "--help"],
        capture_output=True,
        check=True,
        env=os.environ | {"COLUMNS": "80"},
    )
    assert generate.help_of("models", "fetch") + "\n" == done.stdout.decode()


def test_every_public_name_is_described(generate: ModuleType) -> None:
    import imgcls

    text = generate.api()
    for name in imgcls.__all__:
        assert (f"\n### {name}\n" in text) is not name.startswith("__")
    assert "    model: str | Model = 'efficientnet-lite0',\n    *,\n    top: int = 5," in text

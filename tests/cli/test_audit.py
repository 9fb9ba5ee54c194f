from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(two_classes: Path) -> Path:
    shutil.copy(two_classes / "stripes" / "001.png", two_classes / "squares" / "wrong.png")
    return two_classes


def test_text(imgcls: Any, folder: Path) -> None:
    done = imgcls("audit", folder)
    assert done.returncode == 3
    assert done.stdout == (
        "25 images in 2 classes\n"
        "  squares  13\n"
        "  stripes  12\n"
        "\n"
        "conflicting-labels: 1 image appears under more than one label (error)\n"
        "  keep each image under its right label only\n"
        f"    {folder}/squares/wrong.png  =  {folder}/stripes/001.png\n"
        "\n"
        "tiny-class: 2 classes have fewer than 20 images (warning)\n"
        "  add images of this class\n"
        f"    {folder}/squares\n"
        f"    {folder}/stripes\n"
    )
    assert done.stderr == "3 findings in 25 images\n"


def test_json(imgcls: Any, folder: Path) -> None:
    found = json.loads(imgcls("audit", folder, "-f", "json").stdout)
    assert list(found) == ["images", "classes", "findings"]
    assert (found["images"], found["classes"]) == (25, {"squares": 13, "stripes": 12})
    assert found["findings"][0] == {
        "kind": "conflicting-labels",
        "severity": "error",
        "paths": [f"{folder}/squares/wrong.png", f"{folder}/stripes/001.png"],
        "advice": "keep each image under its right label only",
    }


def test_csv(imgcls: Any, folder: Path) -> None:
    rows = list(csv.reader(io.StringIO(imgcls("audit", folder, "-f", "csv").stdout)))
    assert rows[0] == ["finding", "kind", "severity", "path", "advice"]
    assert [row[:4] for row in rows[1:3]] == [
        ["1", "conflicting-labels", "error", f"{folder}/squares/wrong.png"],
        ["1", "conflicting-labels", "error", f"{folder}/stripes/001.png"],
    ]
    assert len(rows) == 5


def test_a_folder_without_class_folders_is_refused(imgcls: Any, tmp_path: Path) -> None:
    done = imgcls("audit", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: {tmp_path}: holds no class folders; put each class's images in a folder\n"
    )

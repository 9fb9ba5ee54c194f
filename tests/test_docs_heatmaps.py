"""docs/heatmaps.md against the rows of CAM_METHODS."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imgcls.core.tasks.heatmap.methods import CAM_METHODS

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_table_of_methods_is_that_of_the_program() -> None:
    text = (DOCS / "heatmaps.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    expected = [
        [
            f"`{name}`",
            method.title,
            (method.function.__doc__ or "").splitlines()[0],
            "yes" if method.knows_class else "no",
            method.paper,
        ]
        for name, method in CAM_METHODS.items()
    ]
    assert rows.pop(0)[0] == "`--method`"
    found = [[*row[:4], row[5].partition("](")[2].rstrip(")")] for row in rows]
    assert found == expected


def test_pictures_are_there_and_small() -> None:
    text = (DOCS / "heatmaps.md").read_text("utf-8")
    for name in ("panel.jpg", "heatmap_methods.jpg"):
        assert f"(images/{name})" in text
        assert (DOCS / "images" / name).stat().st_size < 300_000


def test_the_python_example_runs(
    samples: Path, tmp_path: Path, compiled_default: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(
        r"```python\n(.*?)```", (DOCS / "heatmaps.md").read_text("utf-8"), re.DOTALL
    )
    (tmp_path / "sample_images").symlink_to(samples)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    written = {path.name for path in tmp_path.glob("why.*")}
    assert written == {"why.png", "why.tiff", "why.npy"}

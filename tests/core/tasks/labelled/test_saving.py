"""Evaluations and audits as files, by the ending of their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from imgcls.core.errors import OutputError, UsageError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.labelled.audit import AuditReport
from imgcls.core.tasks.labelled.evaluation import Evaluation
from imgcls.core.tasks.labelled.figures import ScoredImage, summarize

AUDIT = AuditReport(1, {"cat": 1}, {}, (), "photos")


@pytest.fixture
def evaluation(samples: Path) -> Evaluation:
    """Return the figures of two images, of which one has a picture and is a mistake."""
    cat = str(samples / "cat.jpg")
    scored = [ScoredImage("1.jpg", 0, 0, 0.9, 0.9, 1), ScoredImage(cat, 0, 1, 0.7, 0.3, 2)]
    return summarize(scored, [ClassLabel(name, name) for name in ("cat", "dog")], "mine")


def test_an_evaluation_as_json_and_again(evaluation: Evaluation, tmp_path: Path) -> None:
    for _ in range(2):
        evaluation.save(tmp_path / "figures.JSON")
    assert json.loads((tmp_path / "figures.JSON").read_text())["top1"] == 0.5


def test_an_evaluation_as_a_page_and_again_with_heatmaps(
    evaluation: Evaluation, samples: Path, tmp_path: Path
) -> None:
    page, asked = tmp_path / "page.html", []
    evaluation.save(page)
    assert page.read_text("utf-8").count("data:image/jpeg") == 1

    def heatmap(path: str) -> Image.Image:
        asked.append(path)
        return Image.new("RGB", (8, 8))

    evaluation.save(str(page), heatmap=heatmap)
    assert page.read_text("utf-8").count("data:image/jpeg") == 2
    assert asked == [str(samples / "cat.jpg")]


def test_a_heatmap_that_fails_leaves_the_picture_alone(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    def heatmap(path: str) -> Image.Image:
        raise ValueError(path)

    evaluation.save(tmp_path / "page.html", heatmap=heatmap)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count("data:image/jpeg") == 1 and 'class="heatmap"' not in page


def test_an_audit_as_json_and_as_a_page(tmp_path: Path) -> None:
    for _ in range(2):
        AUDIT.save(tmp_path / "audit.json")
        AUDIT.save(tmp_path / "audit.html")
    assert json.loads((tmp_path / "audit.json").read_text())["classes"] == {"cat": 1}
    assert "photos · cat 1" in (tmp_path / "audit.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["notes.json", "notes.html"])
def test_another_file_is_not_written_over(
    evaluation: Evaluation, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text('{"mine": 1}')
    for result in (evaluation, AUDIT):
        with pytest.raises(OutputError, match="exists and is not an earlier output of this kind"):
            result.save(tmp_path / name)
    assert (tmp_path / name).read_text() == '{"mine": 1}'


def test_an_evaluation_is_not_written_over_an_audit(evaluation: Evaluation, tmp_path: Path) -> None:
    for name in ("one.json", "one.html"):
        AUDIT.save(tmp_path / name)
        with pytest.raises(OutputError, match="exists and is not an earlier output of this kind"):
            evaluation.save(tmp_path / name)


def test_another_ending_is_refused(evaluation: Evaluation, tmp_path: Path) -> None:
    for result, what in ((evaluation, "an evaluation"), (AUDIT, "an audit")):
        expected = f"page.pdf: {what} is written as .html or .json; name such a file"
        with pytest.raises(UsageError, match=expected):
            result.save(tmp_path / "page.pdf")

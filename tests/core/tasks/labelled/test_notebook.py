"""What an evaluation and an audit show of themselves in a notebook."""

from __future__ import annotations

from dataclasses import replace

from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.labelled.audit import AuditReport, Finding
from imgcls.core.tasks.labelled.evaluation import Evaluation
from imgcls.core.tasks.labelled.figures import ScoredImage, summarize


def evaluation(classes: int = 2, count: int = 3) -> Evaluation:
    labels = [ClassLabel(f"<c{index}>", f"<c{index}>") for index in range(classes)]
    scored = [
        ScoredImage(f"{index}.jpg", index % classes, 0, 0.5, 0.5, 1 if index % classes == 0 else 2)
        for index in range(count)
    ]
    return summarize([*scored, ScoredImage("gone.jpg", error="no such file")], labels, "<m>")


def test_an_evaluation_is_figures_matrix_classes_and_mistakes() -> None:
    shown = evaluation()._repr_html_()
    assert "<p><b>&lt;m&gt; on 3 images</b></p>" in shown
    assert "66.67%" in shown  # top-1
    assert "top-5" not in shown and "top-5" in evaluation(classes=6, count=6)._repr_html_()
    assert shown.count("<tr><th>&lt;c0&gt;</th>") == 1
    assert '<td style="text-align:right;background:rgba(33,113,181,0.60)">2</td>' in shown
    assert "<p>1 misclassified, the surest first</p>" in shown and "1.jpg" in shown
    assert "<p>1 that could not be scored</p>" in shown and "no such file" in shown
    assert "<c" not in shown


def test_one_image_is_not_several() -> None:
    assert "<b>&lt;m&gt; on 1 image</b>" in evaluation(count=1)._repr_html_()
    assert "<b>1 image in 1 class</b>" in AuditReport(1, {"cat": 1}, {}, ())._repr_html_()


def test_many_classes_and_mistakes_are_cut() -> None:
    shown = evaluation(classes=150, count=150)._repr_html_()
    assert "confusion matrix" not in shown
    assert "<p>… and 50 more</p>" in shown  # classes
    assert "<p>… and 49 more</p>" in shown  # mistakes


def test_an_audit_is_classes_and_findings() -> None:
    found = Finding("exact-duplicates", "warning", tuple("abcdefg"), "keep <one>")
    report = AuditReport(
        3, {"cat": 2, "<d>": 1}, {"train": {"cat": 1, "<d>": 1}, "test": {"cat": 1}}, (found,)
    )
    shown = report._repr_html_()
    assert "<p><b>3 images in 2 classes</b></p>" in shown
    right = '<td style="text-align:right">'
    assert f"&lt;d&gt;</td>{right}1</td>{right}1</td>{right}0</td>" in shown
    assert "<p>1 finding</p>" in shown
    assert "exact duplicates" in shown and "a, b, c, d, e, … (7)" in shown
    assert "keep &lt;one&gt;" in shown
    bad = Finding("unreadable", "error", ("a.jpg",), "delete it", reason="truncated <JPEG")
    assert ">a.jpg: truncated &lt;JPEG</td>" in replace(report, findings=(bad,))._repr_html_()
    assert "nothing found" in AuditReport(0, {}, {}, ())._repr_html_()

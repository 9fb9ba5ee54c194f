"""What was found out as JSON; every format of the command line is in tests/render."""

from __future__ import annotations

import json

import pytest

from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.labelled.audit import AuditReport, Finding
from imgcls.core.tasks.labelled.figures import ScoredImage, summarize
from imgcls.core.tasks.labelled.metrics import ClassScores
from imgcls.core.tasks.labelled.result_json import audit_json, evaluation_json, scores_json

NOT_UTF8 = "cat/\udcff.jpg"


def test_an_evaluation_names_its_model_and_has_the_calibration_bins() -> None:
    scored = [ScoredImage("1.jpg", 0, 0, 0.9, 0.9, 1), ScoredImage(NOT_UTF8, 0, 1, 0.7, 0.3, 2)]
    text = evaluation_json(summarize(scored, [ClassLabel(n, n) for n in ("cat", "dog")], "mine"))
    found = json.loads(text)
    assert found["model"] == "mine"
    low, high = (one for one in found["reliability"] if one["images"])
    assert (low["images"], low["accuracy"], low["confidence"]) == (1, 0.0, 0.7)
    assert (high["images"], high["accuracy"], high["confidence"]) == (1, 1.0, 0.9)
    assert text.isascii() and text.endswith("}\n") and "\n" not in text[:-1]
    assert found["misclassified"][0]["path"] == NOT_UTF8


def test_an_audit() -> None:
    finding = Finding("unreadable", "error", (NOT_UTF8,), "delete it", reason="truncated JPEG")
    text = audit_json(AuditReport(1, {"cat": 1}, {}, (finding,), "photos"))
    found = json.loads(text)
    assert (found["images"], found["classes"]) == (1, {"cat": 1})
    assert found["findings"][0]["paths"] == [NOT_UTF8]
    assert found["findings"][0]["reason"] == "truncated JPEG"
    assert text.isascii() and text.endswith("}\n")


def test_shares_have_six_digits() -> None:
    assert scores_json(ClassScores("cat", 1 / 3, 2 / 3, 0.0, 3)) == {
        "precision": pytest.approx(0.333333, abs=0),
        "recall": pytest.approx(0.666667, abs=0),
        "f1": 0.0,
    }

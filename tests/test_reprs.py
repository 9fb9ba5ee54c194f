"""What the public results show of themselves in a prompt: a line that one can read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import imgcls
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.preprocessing import Box
from imgcls.core.tasks.classify.classify import Prediction, Record
from imgcls.core.tasks.labelled.figures import ScoredImage, summarize

CAT = Prediction(1, "n02124075", "Egyptian_cat", 0.3745123)
PIXEL = np.zeros((1, 1, 3), np.uint8)


def record(status: str = "ok", predictions: tuple[Prediction, ...] = (CAT,)) -> Record:
    error = "no such file" if status == "error" else None
    return Record("a.jpg", cast(Any, status), "m", 1, 1, predictions, error)


def evaluation() -> imgcls.Evaluation:
    scored = [ScoredImage("1.jpg", 0, 0, 0.9, 0.9, 1), ScoredImage("2.jpg", error="empty file")]
    return summarize(scored, [ClassLabel("cat", "cat"), ClassLabel("dog", "dog")], "mine")


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (record(), "<Record a.jpg: Egyptian_cat 37.45%>"),
        (record("unknown"), "<Record a.jpg: unknown (nearest: Egyptian_cat 37.45%)>"),
        (record("error", ()), "<Record a.jpg: error: no such file>"),
        (record("ok", ()), "<Record a.jpg: ok>"),
        (
            imgcls.Explanation(
                *("a.jpg", "m", "gradcam", "top", CAT, 285, None, PIXEL),
                *(np.zeros((1, 1), np.float32), Box(0, 0, 1, 1)),
            ),
            "<Explanation a.jpg: Egyptian_cat 37.45%, gradcam at top>",
        ),
        (
            imgcls.Activations("a.jpg", "m", CAT, PIXEL, {"stem": np.zeros((1, 1, 1))}),
            "<Activations a.jpg: 1 layer>",
        ),
        (
            imgcls.Activations("a.jpg", "m", None, None, {}, "no such file"),
            "<Activations a.jpg: error: no such file>",
        ),
        (
            imgcls.FeatureRow("a.jpg", "cat", "m", np.zeros(2, np.float32), None),
            "<FeatureRow a.jpg (cat): 2 features>",
        ),
        (
            imgcls.FeatureRow("a.jpg", "", "m", None, "no such file"),
            "<FeatureRow a.jpg: error: no such file>",
        ),
        (evaluation(), "<Evaluation mine: 100.00% of 1 image right, 1 not scored>"),
        (imgcls.AuditReport(2, {"cat": 2}, {}, (), "p"), "<AuditReport p: 0 findings in 2 images>"),
        (imgcls.NetworkSummary("vgg16", ()), "<NetworkSummary vgg16: 0 layers, 0 parameters>"),
        (
            imgcls.FinetuneResult(
                *(Path("m.safetensors"), "vgg16", {"cat": 3, "dog": 4}, 7, 2, 0.5, 0.7),
                *cast(Any, (None, (), 0, 1.0)),
            ),
            "<FinetuneResult m.safetensors: 2 classes, validation 50.00%>",
        ),
        (
            imgcls.ImportedModel(
                cast(Any, SimpleNamespace(labels=("cat", "dog"))), 2e-7, 0, False, ()
            ),
            "<ImportedModel: 2 classes, scores within 2e-07>",
        ),
    ],
)
def test_a_result_is_one_line(result: object, shown: str) -> None:
    assert repr(result) == shown


def test_a_model_is_not_its_thousand_labels(compiled_default: object) -> None:
    assert repr(imgcls.load_model()) == "<Model efficientnet-lite0: 1000 classes, float32>"

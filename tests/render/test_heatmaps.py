from __future__ import annotations

import json
from dataclasses import replace

from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.faithfulness import Faithfulness
from imgcls.core.tasks.heatmap.output_files import HeatmapRecord
from imgcls.render.heatmaps import jsonl, layers_jsonl, layers_text, text

GOOD = HeatmapRecord(
    path="cat.jpg",
    status="ok",
    model="efficientnet-lite0",
    output="out/cat.heatmap.png",
    raw=None,
    method="gradcam",
    layer="top_activation",
    prediction=Prediction(1, "n02123159", "tiger_cat", 0.384671234),
    versus=None,
    faithfulness=None,
    error=None,
)
BAD = replace(
    GOOD, path="a\x1b\udcff", status="error", output=None, prediction=None, error="empty file"
)
FULL = replace(
    GOOD,
    status="no evidence",
    versus=Prediction(2, "n02124075", "Egyptian_cat", 0.25),
    faithfulness=Faithfulness(0.25, 0.5),
)


def test_text() -> None:
    lines = list(text([GOOD, BAD, FULL]))
    head = "cat.jpg: out/cat.heatmap.png  gradcam  top_activation  tiger_cat (38.47%)"
    assert lines == [
        f"{head}\n",
        "a\\x1b\udcff: error: empty file\n",
        f"{head} against Egyptian_cat (25.00%)  no evidence  deletion 0.250, insertion 0.500\n",
    ]


def test_jsonl() -> None:
    good, bad, full = map(json.loads, jsonl([GOOD, BAD, FULL]))
    assert good == {
        "path": "cat.jpg",
        "status": "ok",
        "model": "efficientnet-lite0",
        "output": "out/cat.heatmap.png",
        "raw": None,
        "method": "gradcam",
        "layer": "top_activation",
        "class": "tiger_cat",
        "class_id": "n02123159",
        "rank": 1,
        "score": 0.384671,
        "versus": None,
        "versus_score": None,
        "deletion": None,
        "insertion": None,
        "error": None,
    }
    assert bad["path"] == "a\x1b\udcff"
    assert (bad["status"], bad["output"], bad["class"]) == ("error", None, None)
    assert bad["error"] == "empty file"
    assert (full["versus"], full["versus_score"]) == ("Egyptian_cat", 0.25)
    assert (full["deletion"], full["insertion"]) == (0.25, 0.5)


def test_records_are_rendered_as_they_come() -> None:
    def records():  # type: ignore[no-untyped-def]
        yield GOOD
        raise AssertionError("the second was asked for too early")

    assert next(jsonl(records())).startswith('{"path": "cat.jpg"')
    assert next(text(records())).startswith("cat.jpg: ")


def test_layers() -> None:
    layers = {"stem_conv": (112, 112, 32), "top_activation": (7, 7, 1280)}
    assert list(layers_text(layers, "top_activation")) == [
        "stem_conv       112×112×32\n",
        "top_activation  7×7×1280  (default)\n",
    ]
    assert [json.loads(line) for line in layers_jsonl(layers, "top_activation")] == [
        {"layer": "stem_conv", "shape": [112, 112, 32], "default": False},
        {"layer": "top_activation", "shape": [7, 7, 1280], "default": True},
    ]

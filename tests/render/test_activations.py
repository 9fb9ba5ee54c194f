"""Records of `activations` as text and JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.activation_files import ActivationRecord, LayerSummary
from imgcls.render.activations import FORMATS

GOOD = ActivationRecord(
    path="cat.jpg",
    model="efficientnet-lite0",
    output="out/cat.activations.png",
    raw="out/cat.activations.npz",
    prediction=Prediction(1, "n02123159", "tiger_cat", 0.384671234),
    layers={"stem_conv": LayerSummary((112, 112, 32), 3), "avg_pool": LayerSummary((1280,), 0)},
    error=None,
)
ONE_LAYER = ActivationRecord(
    *("b\nc.jpg", "mine.safetensors", "b.png", None),
    Prediction(1, "\x1b[2J", "\x1b[2J", 1.0),
    {"conv": LayerSummary((2, 2, 1), 1)},
    None,
)
BAD = ActivationRecord("a\x1b\udcff", "m", None, None, None, {}, "empty file")


def rendered(name: str, *records: ActivationRecord) -> list[str]:
    return list(FORMATS[name](iter(records)))


def test_text_is_a_line_an_image() -> None:
    assert rendered("text", GOOD, ONE_LAYER, BAD) == [
        "cat.jpg: out/cat.activations.png  2 layers  tiger_cat (38.47%)\n",
        "b\\x0ac.jpg: b.png  1 layer  \\x1b[2J (100.00%)\n",
        "a\\x1b\udcff: error: empty file\n",
    ]


def test_jsonl_has_all_of_a_record() -> None:
    good, one, bad = map(json.loads, rendered("jsonl", GOOD, ONE_LAYER, BAD))
    assert good == {
        "path": "cat.jpg",
        "status": "ok",
        "model": "efficientnet-lite0",
        "output": "out/cat.activations.png",
        "raw": "out/cat.activations.npz",
        "class": "tiger_cat",
        "class_id": "n02123159",
        "score": 0.384671,
        "layers": [
            {"layer": "stem_conv", "shape": [112, 112, 32], "dead": 3},
            {"layer": "avg_pool", "shape": [1280], "dead": 0},
        ],
        "error": None,
    }
    assert list(bad) == list(one) == list(good)  # the same keys in the same order
    assert (one["path"], one["class"], one["raw"]) == ("b\nc.jpg", "\x1b[2J", None)
    assert bad == dict.fromkeys(good) | {
        "path": "a\x1b\udcff",
        "status": "error",
        "model": "m",
        "layers": [],
        "error": "empty file",
    }


@pytest.mark.parametrize("name", list(FORMATS))
def test_records_are_rendered_as_they_come(name: str) -> None:
    def records() -> Iterator[ActivationRecord]:
        yield GOOD
        raise AssertionError("the second was asked for too early")

    assert "cat.jpg" in next(FORMATS[name](records()))


def test_no_records() -> None:
    assert [rendered(name) for name in FORMATS] == [[], []]

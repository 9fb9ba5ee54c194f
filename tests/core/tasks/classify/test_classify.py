"""From scores to the best classes, and what a record depends on; no model is run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgcls.core.engines.model import Model
from imgcls.core.errors import UsageError
from imgcls.core.models.head import Head
from imgcls.core.models.labels import ClassLabel
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import Network
from imgcls.core.tasks.classify.classify import (
    Prediction,
    Record,
    classify,
    record_facts,
    top_k,
)
from imgcls.core.tasks.classify.options import ClassifyOptions

LABELS = (ClassLabel("n1", "cat"), ClassLabel("n2", "dog"), ClassLabel("n3", "cow"))
SCORES = np.array([0.25, 0.5, 0.25], np.float32)


def test_the_best_come_first_and_equal_ones_in_the_order_of_the_columns() -> None:
    dog, cat = Prediction(1, "n2", "dog", 0.5), Prediction(2, "n1", "cat", 0.25)
    cow = Prediction(3, "n3", "cow", 0.25)
    assert top_k(SCORES, LABELS, 2) == (dog, cat)
    assert top_k(SCORES, LABELS, 0) == (dog, cat, cow)
    assert top_k(SCORES, LABELS, 5) == (dog, cat, cow)


@pytest.mark.parametrize("k", [0, 3, 500, 700, 1000])
def test_a_thousand_classes_of_two_scores_keep_the_order_of_the_columns(k: int) -> None:
    labels = tuple(ClassLabel(f"n{number}", "") for number in range(1000))
    found = top_k((np.arange(1000) % 2).astype(np.float32), labels, k)
    numbers = [*range(1, 1000, 2), *range(0, 1000, 2)][: k or None]
    assert [one.class_id for one in found] == [f"n{number}" for number in numbers]


def test_scores_are_plain_numbers() -> None:
    (best,) = top_k(SCORES, LABELS, 1)
    assert type(best.score) is float and type(best.rank) is int


def test_a_number_out_of_range_is_refused_before_a_model_is_opened() -> None:
    with pytest.raises(UsageError, match="`top` must be 1 or more, or 0 for every class; it is -1"):
        classify("a.jpg", "no-such-model", top=-1)


def test_pixels_make_no_other_record() -> None:
    record = Record("a.jpg", "ok", "m", 1, 1, (Prediction(1, "n1", "cat", 1.0),), None)
    seen = replace(record, pixels=np.zeros((2, 2, 3), np.uint8))
    assert seen == record and "pixels" not in repr(seen)


def test_all_that_changes_a_record_changes_its_facts_and_nothing_else_does(tmp_path: Path) -> None:
    weights = tmp_path / "weights.h5"
    weights.write_bytes(b"weights")
    spec = MODELS["vgg16"]
    head = Head(((np.ones((2, 3), np.float32), np.zeros(3, np.float32)),))
    moved = Head(((np.ones((2, 3), np.float32), np.ones(3, np.float32)),))
    model = Model("vgg16", Network("vgg16", spec, weights), spec.preprocessing, LABELS, None, head)  # type: ignore[arg-type]
    options = ClassifyOptions()
    facts = record_facts(model, options, "float32")
    assert record_facts(model, replace(options, workers=3), "float32") == facts
    others = [
        record_facts(model, options, "int8"),
        record_facts(model, replace(options, top=1), "float32"),
        record_facts(model, replace(options, resize="pad"), "float32"),
        record_facts(replace(model, labels=LABELS[::-1]), options, "float32"),
        record_facts(replace(model, head=moved), options, "float32"),
        record_facts(replace(model, head=None), options, "float32"),
        record_facts(replace(model, name="other"), options, "float32"),
    ]
    assert len({facts, *others}) == 8

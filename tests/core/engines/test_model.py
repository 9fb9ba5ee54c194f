"""An open model: batches, scores, and chunks of work for its engine."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from imgcls.core.engines.engine import Engine
from imgcls.core.engines.model import load_model, map_chunks
from imgcls.core.errors import ImageError, NoImagesError
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.head import Head
from imgcls.core.processor import usable_cores


def test_preprocess_makes_what_scores_takes(samples: Path, tmp_path: Path) -> None:
    model = load_model()
    batch = model.preprocess([samples / "cat.jpg", samples / "coffee.jpg"])
    assert (batch.shape, batch.dtype) == ((2, 224, 224, 3), np.float32)
    best = model.scores(batch).argmax(axis=1)
    assert [model.labels[column].label for column in best] == ["tiger_cat", "espresso"]
    np.testing.assert_array_equal(model.preprocess(samples / "coffee.jpg"), batch[1:])
    (tmp_path / "x.jpg").write_text("no photo")
    with pytest.raises(ImageError, match=r"x\.jpg: "):
        model.preprocess(tmp_path / "x.jpg")
    with pytest.raises(NoImagesError):
        model.preprocess([])


def test_a_trained_model_scores_an_image_alike_in_every_batch(samples: Path) -> None:
    model, random = load_model(), np.random.default_rng(0)
    batch = model.preprocess(sorted(samples.glob("*.jpg")))
    kernel = random.normal(size=(1280, 7)).astype(np.float32)
    directions = np.linalg.qr(random.normal(size=(1280, 21)))[0].T.reshape(7, 3, 1280)
    trained = replace(
        model,
        head=Head(((kernel, np.zeros(7, np.float32)),)),
        familiarity=Familiarity(
            directions.astype(np.float32), np.linspace(0, 0.02, 10_000, dtype=np.float32)
        ),
    )
    scores, familiarity = trained.judge(batch)
    assert familiarity is not None
    assert 0 < familiarity.min() < familiarity.max() < 1
    np.testing.assert_array_equal(trained.scores(batch), scores)
    for number in range(len(batch)):  # to the last bit
        (one,), alone = trained.judge(batch[number : number + 1])
        np.testing.assert_array_equal(one, scores[number])
        assert alone == familiarity[number]


def test_chunks_suit_the_engine_and_come_in_order() -> None:
    model, sizes = load_model(), []

    def work(chunk: list[int]) -> list[int]:
        sizes.append(len(chunk))
        return [2 * item for item in chunk]

    assert list(map_chunks(model, work, iter(range(20)), 2)) == list(range(0, 40, 2))
    assert max(sizes) <= model.engine.batch_size


def test_an_engine_may_ask_for_more_calls_than_there_are_cores() -> None:
    calls = usable_cores() + 2
    engine = SimpleNamespace(parallel=calls, batch_size=1, one_by_one=False)
    model = replace(load_model(), engine=cast(Engine, engine))
    together = threading.Barrier(calls, timeout=30)

    def work(chunk: list[int]) -> list[int]:
        together.wait()
        return chunk

    assert list(map_chunks(model, work, range(calls), None)) == list(range(calls))

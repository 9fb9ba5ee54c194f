"""LiteRT: images one by one, outputs in the order asked for, from any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.compiled.compile import CompiledModel, compiled_model
from imgcls.core.engines.litert import IMAGES_A_CALL, LiteRTEngine, output_name
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights
from imgcls.core.parallel import map_ordered


@pytest.fixture
def engine() -> LiteRTEngine:
    spec = MODELS[DEFAULT_MODEL]
    compiled = compiled_model(Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec)))
    assert isinstance(compiled, CompiledModel)
    return LiteRTEngine(compiled, threads=2)


@pytest.fixture
def batch() -> Float32Array:
    return np.random.default_rng(0).normal(size=(6, 224, 224, 3)).astype(np.float32)


def test_outputs_are_named_by_their_place() -> None:
    assert [output_name(place) for place in range(3)] == ["Identity", "Identity_1", "Identity_2"]


def test_outputs_come_in_the_order_asked_for(engine: LiteRTEngine, batch: Float32Array) -> None:
    features, logits = engine.run(batch[:2], ("features", "logits"))
    assert (features.shape, logits.shape) == ((2, 1280), (2, 1000))
    kernel = engine.classifier_kernel()
    assert kernel.shape == (1280, 1000)
    bias = logits - features @ kernel  # the same for every image
    np.testing.assert_allclose(bias[0], bias[1], atol=1e-4)


def test_threads_get_to_the_last_bit_what_one_call_gets(
    engine: LiteRTEngine, batch: Float32Array
) -> None:
    assert (engine.parallel, engine.batch_size) == (2, IMAGES_A_CALL)
    (together,) = engine.run(batch, ("logits",))

    def one_by_one(images: list[Float32Array]) -> list[Float32Array]:
        return [engine.run(image[np.newaxis], ("logits",))[0][0] for image in images]

    apart = list(map_ordered(one_by_one, batch, workers=4))
    np.testing.assert_array_equal(np.stack(apart), together)

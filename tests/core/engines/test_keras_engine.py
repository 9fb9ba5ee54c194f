"""Keras as an engine: a small described network, worked out with numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.keras_engine import KerasEngine, keras_model
from imgcls.core.models.model_file import read_model_file
from imgcls.core.models.weights import Network
from imgcls.core.parallel import map_ordered
from tests.core.engines.test_described import POOLED, WHOLE, by_hand, head, weights, write


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Return a network of a backbone and a linear head."""
    path = write(tmp_path_factory.mktemp("keras") / "m.safetensors", POOLED, head(5))
    return read_model_file(path).network(path)


@pytest.fixture(scope="module")
def engine(network: Network) -> KerasEngine:
    return KerasEngine(network)


@pytest.fixture(scope="module")
def batch() -> Float32Array:
    return np.random.default_rng(2).integers(0, 256, (3, 16, 16, 3)).astype(np.float32)


def test_outputs_come_in_the_order_asked_for(engine: KerasEngine, batch: Float32Array) -> None:
    conv2 = by_hand(batch, weights(POOLED))
    kernel, bias = head(5).layers[0]
    features = conv2.mean(axis=(1, 2))
    for output, expected in (("activations", conv2), ("logits", features @ kernel + bias)):
        (found,) = engine.run(batch, (output,))  # type: ignore[arg-type]
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-4)
    found, activations = engine.run(batch, ("features", "activations"))
    np.testing.assert_allclose(found, features, atol=1e-4)
    np.testing.assert_allclose(activations, conv2, atol=1e-4)


def test_any_number_of_images(engine: KerasEngine, batch: Float32Array) -> None:
    (all_at_once,) = engine.run(batch, ("logits",))
    for count in (1, 2):
        (some,) = engine.run(batch[:count], ("logits",))
        assert some.shape == (count, 3)
        np.testing.assert_allclose(some, all_at_once[:count], atol=1e-5)


def test_threads_get_what_one_call_gets(network: Network, batch: Float32Array) -> None:
    engine = KerasEngine(network)  # whose function is not made yet

    def run(images: list[Float32Array]) -> list[Float32Array]:
        return [engine.run(image[np.newaxis], ("features",))[0][0] for image in images]

    apart = list(map_ordered(run, batch, workers=3))
    np.testing.assert_allclose(apart, engine.run(batch, ("features",))[0], atol=1e-5)
    assert len(engine._functions) == 1  # made once, for each size of batch


def test_the_kernel_of_the_classifier(engine: KerasEngine, tmp_path: Path) -> None:
    np.testing.assert_array_equal(engine.classifier_kernel(), head(5).layers[0][0])
    path = write(tmp_path / "m.safetensors", WHOLE, None)  # ends in a 1×1 convolution
    other = KerasEngine(read_model_file(path).network(path))
    expected = weights(WHOLE)["network.logits.kernel"][0, 0]
    np.testing.assert_array_equal(other.classifier_kernel(), expected)


def test_what_the_engine_runs_is_not_built_twice(engine: KerasEngine, network: Network) -> None:
    assert keras_model(engine, network) is engine.model
    built = keras_model(_Another(), network)
    assert built is not engine.model
    for mine, its in zip(built.get_weights(), engine.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


class _Another:
    """An engine that has no Keras model."""

    name, batch_size, one_by_one, parallel = "litert", 1, True, 1

    def run(self, batch: Float32Array, outputs: object) -> list[Float32Array]:
        raise NotImplementedError

    def classifier_kernel(self) -> Float32Array:
        raise NotImplementedError

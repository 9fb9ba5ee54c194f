"""How many images a second engines make."""

from __future__ import annotations

import time

import numpy as np
import pytest

from imgcls.core.arrays import Float32Array, Output
from imgcls.core.engines import rates


def image() -> Float32Array:
    return np.zeros((1, 1, 1, 3), np.float32)


class Busy:
    """An engine that keeps the processor busy for so many seconds an image."""

    name, batch_size, one_by_one, parallel = "busy", 1, True, 1

    def __init__(self, seconds: float) -> None:
        self.seconds, self.runs = seconds, 0

    def run(self, batch: Float32Array, outputs: tuple[Output, ...]) -> list[Float32Array]:
        self.runs += 1
        end = time.process_time() + self.seconds
        while time.process_time() < end:
            pass
        return [batch]

    def classifier_kernel(self) -> Float32Array:
        raise NotImplementedError


def test_the_processors_time_counts() -> None:
    engines = {"fast": Busy(0.002), "slow": Busy(0.008)}
    found = rates.best_rates(engines, 1, image, seconds=0.02)
    assert 250 < found["fast"] <= 500
    assert 62 < found["slow"] <= 125


def test_what_makes_the_images_counts() -> None:
    decoder = Busy(0.002)
    engines = {"fast": Busy(0.002), "slow": Busy(0.008)}
    found = rates.best_rates(engines, 1, lambda: decoder.run(image(), ())[0], seconds=0.02)
    assert 125 < found["fast"] <= 250
    assert 50 < found["slow"] <= 100


def test_as_many_calls_are_made_as_the_engine_wants() -> None:
    engine = Busy(0.002)
    engine.parallel = 3
    rates.best_rates({"streams": engine}, 2, image, seconds=0.0)
    assert engine.runs == 1 + 3 * rates._ROUNDS


def test_a_large_network_takes_few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_LONGEST", 0.0)
    engine = Busy(0.002)
    rates.best_rates({"large": engine}, 1, image, seconds=0.001)
    assert engine.runs == 1 + 2  # to prepare, and a round each

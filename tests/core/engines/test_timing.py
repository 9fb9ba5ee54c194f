"""Engines timed on a compiled model."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.engines import rates, timing
from imgcls.core.engines.compiled.compile import CompiledModel, compiled_model
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights
from imgcls.core.telemetry import import_openvino


@pytest.fixture
def compiled(compiled_default: Path) -> CompiledModel:
    spec = MODELS[DEFAULT_MODEL]
    found = compiled_model(Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec)))
    assert isinstance(found, CompiledModel)
    return found


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_ROUNDS", 1)


def test_one_core_and_all(compiled: CompiledModel) -> None:
    found = timing.timed(compiled, ["litert"], 2)
    assert found.cores == 2
    for speeds in (found.one, found.all):
        assert list(speeds) == ["litert"]
        assert 0.001 < speeds["litert"].open_seconds < 60
        assert 1 < speeds["litert"].images_per_second < 10_000
    assert found.decoding > 0
    assert 0 < found.network_seconds("litert") < 1 / found.one["litert"].images_per_second


def test_a_single_core_is_all(compiled: CompiledModel) -> None:
    found = timing.timed(compiled, ["litert"], 1)
    assert found.one is found.all


def test_an_engine_that_cannot_run_the_network_is_left_out(
    compiled: CompiledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imgcls.core.engines import litert

    def refuse(*_: object) -> None:
        raise RuntimeError("an operation is missing")

    monkeypatch.setattr(litert, "LiteRTEngine", refuse)
    assert timing.timed(compiled, ["litert"], 1).one == {}


def test_openvino_is_imported_so_that_it_tells_nobody() -> None:
    assert timing.IMPORTS["openvino"] is import_openvino

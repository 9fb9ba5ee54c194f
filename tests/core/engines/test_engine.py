"""What every engine promises, and the words for the choices."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from imgcls.core.engines.engine import ENGINES, PRECISIONS, Engine
from imgcls.core.engines.keras_engine import KerasEngine
from imgcls.core.engines.litert import LiteRTEngine
from imgcls.core.engines.openvino import OpenVINOEngine


def test_the_choices_begin_with_the_default() -> None:
    assert ENGINES == ("auto", "litert", "openvino", "keras")
    assert PRECISIONS == ("float32", "int8")


@pytest.mark.parametrize("engine", [KerasEngine, LiteRTEngine, OpenVINOEngine])
def test_each_engine_has_what_the_protocol_asks_for(engine: Any) -> None:
    assert engine.name in ENGINES
    for method in ("run", "classifier_kernel"):
        promised = inspect.signature(getattr(Engine, method))
        assert inspect.signature(getattr(engine, method)) == promised

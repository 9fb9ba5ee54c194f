"""Compiling from Python before it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.models.compile_ahead import compile_model


def test_what_is_compiled_is_left_as_it_is(compiled_default: None) -> None:
    first = compile_model("efficientnet-lite0")
    made = first.path.stat().st_mtime_ns
    again = compile_model("efficientnet-lite0")
    assert again == first
    assert again.path.stat().st_mtime_ns == made
    assert first.milliseconds > 0


def test_calibration_is_of_int8(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`calibrate` goes with `precision` int8"):
        compile_model("efficientnet-lite0", calibrate=tmp_path)

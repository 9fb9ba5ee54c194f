"""Compiling from Python before it is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.models.head import Head
from imgcls.core.models.model_file import ModelFile, write_model_file
from imgcls.core.models.spec import BundledWeights
from imgcls.core.models.table import MODELS
from imgcls.core.tasks.models.compile_ahead import compile_model


def test_what_is_compiled_is_left_as_it_is(compiled_default: Path) -> None:
    first = compile_model("efficientnet-lite0")
    made = first.path.stat().st_mtime_ns
    again = compile_model("efficientnet-lite0")
    assert again == first
    assert again.path.stat().st_mtime_ns == made
    assert first.milliseconds > 0


def test_calibration_is_of_int8(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`calibrate` goes with `precision` int8"):
        compile_model("efficientnet-lite0", calibrate=tmp_path)


def test_a_model_file_is_compiled_by_its_path(compiled_default: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    row = MODELS["efficientnet-lite0"]
    assert isinstance(row.weights, BundledWeights)
    head = Head(((np.ones((1280, 2), np.float32), np.zeros(2, np.float32)),))
    file = ModelFile(
        backbone="efficientnet-lite0",
        backbone_weights="own",
        weights_sha256=row.weights.sha256,
        head=head,
        labels=("a", "b"),
        preprocessing=row.preprocessing,
    )
    write_model_file(path, file)
    done = compile_model(str(path))
    assert done.name == str(path)
    # Its network is the one that the default model runs on.
    assert done.path == compile_model("efficientnet-lite0").path
    with pytest.raises(UsageError, match="is a model file and has its own weights"):
        compile_model(str(path), weights=path)

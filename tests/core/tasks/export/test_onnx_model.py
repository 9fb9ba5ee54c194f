from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgcls.core.models.exported_description import ExportedDescription
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.export.onnx_model import read_properties, write_onnx
from imgcls.core.tasks.export.runtimes import run_exported
from tests.core.engines.test_described import LABELS, POOLED, head, weights

pytest.importorskip("onnxruntime")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    labels = tuple(ClassLabel(label, label) for label in LABELS)
    described = ExportedDescription("m", Preprocessing(16, 16, "none"), labels).to_json()
    path, top = tmp_path / "m.onnx", head(5)
    write_onnx(path, POOLED, weights(POOLED), top, described=described, opset=15, any_batch=True)
    assert read_properties(path) == described
    scores = run_exported(".onnx", path, np.zeros((4, 16, 16, 3), np.float32), together=True)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)

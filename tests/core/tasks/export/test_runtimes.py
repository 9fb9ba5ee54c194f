from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgcls.core.tasks.export.runtimes import run_exported
from tests.core.tasks.export.conftest import Exported


def test_a_fixed_batch_takes_no_other(tiny: Path, exported: Exported) -> None:
    path, _ = exported(tiny, ".tflite")
    assert run_exported(".tflite", path, np.zeros((2, 16, 16, 3), np.float32), together=False).shape
    with pytest.raises((RuntimeError, ValueError)):
        run_exported(".tflite", path, np.zeros((2, 20, 20, 3), np.float32), together=False)

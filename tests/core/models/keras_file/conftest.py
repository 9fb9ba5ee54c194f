from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.keras.build import build_weighted
from imgcls.core.models.keras_file.describe import ImportedNetwork, describe
from imgcls.core.models.model_file import ModelFile, write_model_file
from imgcls.core.pixels.preprocessing import Preprocessing

Imported = tuple[ImportedNetwork, Callable[[Float32Array], Float32Array]]


@pytest.fixture
def imported(tmp_path: Path) -> Callable[[Path], Imported]:
    """Import a file without a child process: what was found, and the scores of what was written."""

    def run(path: Path) -> Imported:
        found = describe(path, tmp_path)
        written = tmp_path / "imported.safetensors"
        labels = tuple(f"class_{i}" for i in range(found.classes))
        size = Preprocessing(found.size, found.size, "none")
        file = ModelFile(
            "described", "stored", "", found.head, labels, size, described=found.network
        )
        write_model_file(written, file, found.tensors)
        model: Any = build_weighted(file.network(written))
        return found, lambda batch: softmax(np.asarray(model(batch, training=False)))

    return run

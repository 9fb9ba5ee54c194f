"""A tiny model for export: it takes BGR, has a head of its own, and layers that are not Keras'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.model_file import ModelFile, write_model_file
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.export.export_child import export_into
from imgcls.core.tasks.export.options import ExportOptions
from tests.core.engines.test_described import BACKBONE, head, weights

SCALED = Layer("channels", "channel_scale", ("conv2",))
POOLED = Layer("gap", "global_average_pooling2d", ("channels",))
TINY = NetworkDescription((*BACKBONE, SCALED, POOLED))
LABELS = ("cat", "großer Hund", "fox")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Write the tiny model; return its file."""
    path = tmp_path / "tiny.safetensors"
    file = ModelFile(
        backbone="described",
        backbone_weights="stored",
        weights_sha256="",
        head=head(5),
        labels=LABELS,
        preprocessing=Preprocessing(16, 16, "caffe", "bicubic", "squash"),
        described=TINY,
    )
    write_model_file(path, file, weights(TINY))
    return path


Exported = Callable[..., tuple[Path, dict[str, Any]]]


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    """Export as the child process does; return the file and the outcome."""

    def run(
        model: Path | str,
        ending: str,
        options: ExportOptions | None = None,
        calibration: np.ndarray | None = None,
    ) -> tuple[Path, dict[str, Any]]:
        folder = tmp_path / f"work{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        if calibration is not None:
            np.save(folder / "calibration.npy", calibration)
        request: dict[str, Any] = {
            "model": str(model),
            "weights": None,
            "output": str(tmp_path / f"out{'' if ending == '/' else ending}"),
            "ending": ending,
            "options": asdict(options or ExportOptions()),
        }
        outcome = export_into(request, folder)
        return folder / "made" / Path(request["output"]).name, outcome

    return run

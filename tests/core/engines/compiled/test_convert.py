"""Every row of the table on LiteRT: random weights, compared with Keras.

The largest rows take minutes and up to 24 GB of memory each, and are run by `make test-huge`
only. `benchmarks/every_model.py` tries all, and its results are in `docs/every_model.json`.
What needs no conversion is tested for all rows in `tests/core/models/test_table.py`.
"""

from __future__ import annotations

import gc
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from imgcls.core.models.table import MODELS

ROOT = Path(__file__).resolve().parents[4]

QUICK = {"mobilenet-v3-small", "mobilenet-v3-large"}
HUGE = {
    *("vgg16", "vgg19", "resnet152", "resnet152v2", "inception-resnet-v2", "nasnet-large"),
    *("efficientnet-b6", "efficientnet-b7", "efficientnet-v2-m", "efficientnet-v2-l"),
    *("convnext-small", "convnext-base", "convnext-large", "convnext-xlarge"),
}


@pytest.fixture(scope="module")
def every_model() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "every_model", ROOT / "benchmarks" / "every_model.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore")  # Keras' own about inputs
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=() if name in QUICK else pytest.mark.huge if name in HUGE else pytest.mark.slow,
        )
        for name in MODELS
    ],
)
def test_litert_agrees_with_keras(name: str, every_model: ModuleType) -> None:
    import keras

    result = every_model.try_model(name)
    keras.backend.clear_session()
    gc.collect()
    if "of memory" not in result.get("reason", ""):
        assert result["engine"] == "litert", result
        assert result["difference"] <= 1e-4


def test_every_row_was_tried() -> None:
    results = json.loads((ROOT / "docs" / "every_model.json").read_text())
    assert list(results) == list(MODELS)
    for name, result in results.items():
        assert result["engine"] in ("litert", "keras"), name
        assert result["engine"] == "keras" or result["difference"] <= 1e-4, name
        assert result["engine"] == "litert" or result["reason"], name

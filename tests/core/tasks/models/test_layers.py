"""The summary of named models and model files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.engines.keras_engine import keras_model
from imgcls.core.engines.model import load_model
from imgcls.core.errors import ModelError
from imgcls.core.models.head import Head
from imgcls.core.models.model_file import ModelFile, write_model_file
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.models.layers import summarize
from tests.core.engines.test_described import LABELS, POOLED, WHOLE, head, weights, write


def write_trained(path: Path, **said: Any) -> str:
    file = ModelFile(
        backbone="described",
        backbone_weights="stored",
        weights_sha256="",
        head=Head(((np.ones((5, 3), np.float32), np.zeros(3, np.float32)),)),
        labels=LABELS,
        preprocessing=Preprocessing(16, 16, "none"),
        described=POOLED,
        **said,
    )
    write_model_file(path, file, weights(POOLED))
    return str(path)


def test_a_named_model_needs_no_weights(keras_home: Path) -> None:
    summary = summarize("vgg16")
    assert [layer.name for layer in summary.layers[-3:]] == ["fc1", "fc2", "predictions"]
    assert (summary.parameters, summary.statistics) == (138357544, 0)
    assert summary.origins == {"published": 138357544}


@pytest.mark.parametrize(("described", "top"), [(WHOLE, None), (POOLED, head(5))])
def test_a_file_that_was_imported(
    tmp_path: Path, described: NetworkDescription, top: Head | None
) -> None:
    summary = summarize(str(write(tmp_path / "m.safetensors", described, top)))
    assert summary.origins == {"imported": 112 + 16 + 185 + 18}
    assert summary.statistics == 8


@pytest.mark.parametrize(
    ("stage", "options", "trained"),
    [
        ("features", {"unfreeze": 0}, 18),
        ("fine-tuning", {"unfreeze": 1}, 185 + 18),
        ("fine-tuning", {"unfreeze": "all"}, 112 + 185 + 18),
        ("augmented", {"unfreeze": 1}, 18),  # no epoch of the fine-tuning was better
        ("scratch", {"unfreeze": 0}, 112 + 185 + 18),
        ("fine-tuning", {}, 112 + 185 + 18),
    ],
)
def test_a_file_whose_backbone_was_trained(
    tmp_path: Path, stage: str, options: Any, trained: int
) -> None:
    file = write_trained(
        tmp_path / "m.safetensors", metrics={"stage": stage}, training={"options": options}
    )
    summary = summarize(file)
    assert summary.origins["trained"] == trained
    assert summary.origins["frozen"] == 112 + 16 + 185 + 18 - trained


def test_layers_have_the_names_that_they_have_when_the_model_runs(tmp_path: Path) -> None:
    path = str(write(tmp_path / "m.safetensors", POOLED, head(5)))
    model = load_model(path, engine="keras")
    names = [layer.name for layer in keras_model(model.engine, model.network).layers]
    assert [layer.name for layer in summarize(path).layers] == names


def test_no_such_model() -> None:
    with pytest.raises(ModelError, match=r"^vgg61: no such model; did you mean"):
        summarize("vgg61")


def test_a_notebook_shows_a_table(tmp_path: Path) -> None:
    shown = summarize(str(write(tmp_path / "m.safetensors", WHOLE, None)))._repr_html_()
    assert "m.safetensors: 331 parameters" in shown
    assert shown.count("<tr>") == 1 + len(WHOLE.layers)
    assert '6×6×5</td><td style="text-align:right">185</td>' in shown

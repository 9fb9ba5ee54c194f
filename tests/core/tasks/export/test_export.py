from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgcls import ExportOptions, export
from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.model_file import read_model_file, write_model_file
from imgcls.core.tasks.export import export as export_module
from tests.core.engines.test_described import weights
from tests.core.tasks.export.conftest import TINY


def test_nothing_is_left_where_it_fails(tiny: Path, tmp_path: Path) -> None:
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ModelError, match=r"^no-such: no such model"):
        export("no-such", tmp_path / "m.tflite")
    assert sorted(os.listdir(tmp_path)) == before
    (tmp_path / "m.tflite").write_bytes(b"mine")
    with pytest.raises(OutputError, match="is there already"):
        export(str(tiny), tmp_path / "m.tflite")
    assert (tmp_path / "m.tflite").read_bytes() == b"mine"


def test_that_familiarity_stays_behind_is_said(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    facts = dict.fromkeys(("size", "images", "bound", "max_difference", "agreement"), 0)

    def write(path: Path, folder: Path, request: object) -> dict[str, object]:
        (folder / "made").mkdir()
        (folder / "made" / path.name).write_bytes(b"ours")
        return facts | {"least_agreement": None}

    monkeypatch.setattr(export_module, "_run_child", write)
    file = read_model_file(tiny)
    features, columns = np.eye(6, 5, dtype=np.float32), np.array([0, 1, 2, 0, 1, 2])
    familiarity = Familiarity.of(features, columns, features)
    familiar = tmp_path / "familiar.safetensors"
    write_model_file(familiar, replace(file, familiarity=familiarity), weights(TINY))
    said = "it calls no photo unknown there: familiarity does not go along"
    with caplog.at_level(logging.INFO, "imgcls"):
        export(str(tiny), tmp_path / "a.onnx")
        assert said not in caplog.text
        export(str(familiar), tmp_path / "b.onnx")
        assert said in caplog.text


def test_what_came_meanwhile_stays(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_two(path: Path, folder: Path, request: object) -> dict[str, object]:
        (folder / "made").mkdir()
        (folder / "made" / path.name).write_bytes(b"ours")
        path.write_bytes(b"theirs")
        return {}

    monkeypatch.setattr(export_module, "_run_child", write_two)
    with pytest.raises(OutputError, match=r"m\.onnx: is there already"):
        export(str(tiny), tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == b"theirs"
    assert sorted(os.listdir(tmp_path)) == ["m.onnx", "tiny.safetensors"]


def test_two_exports_at_once_do_not_write_one_name(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The JSON of one beside the network of the other would be a wrong model."""
    facts = dict.fromkeys(("size", "images", "bound", "max_difference", "agreement"), 0)
    refused: list[str] = []

    def write(path: Path, folder: Path, request: dict[str, Any]) -> dict[str, object]:
        with pytest.raises(OutputError) as second:
            export(str(tiny), tmp_path / "m.keras", ExportOptions(force=True))
        refused.append(str(second.value))
        (folder / "made").mkdir()
        made = folder / "made" / Path(request["output"]).name
        for file in (made, made.with_name(f"{made.name}.json")):
            file.write_bytes(b"ours")
        return facts | {"least_agreement": None}

    monkeypatch.setattr(export_module, "_run_child", write)
    (tmp_path / "link.keras").symlink_to(tmp_path / "m.keras")
    export(str(tiny), tmp_path / "link.keras", ExportOptions(force=True))
    assert refused == [
        f"{tmp_path}/m.keras: another run is writing it; wait for it or name another"
    ]
    names = ["link.keras", "m.keras", "m.keras.json", "tiny.safetensors"]
    assert sorted(os.listdir(tmp_path)) == names


def test_int8_needs_photos(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "photos" / "a.png")
    options = ExportOptions(precision="int8", calibrate=tmp_path / "photos")
    with pytest.raises(UsageError, match=r"on 50 photos or more, .*here are 1; name a folder"):
        export(str(tiny), tmp_path / "m.tflite", options)
    assert sorted(os.listdir(tmp_path)) == ["photos", "tiny.safetensors"]


def test_tflite_needs_the_memory_of_its_converter(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "memory_lacking", lambda spec: "it takes 10 GB of memory")
    with pytest.raises(ModelError, match=r"as \.tflite \(it takes 10 GB of memory, and here is"):
        export(str(tiny), tmp_path / "m.tflite")
    assert sorted(os.listdir(tmp_path)) == ["tiny.safetensors"]

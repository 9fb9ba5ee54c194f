"""What lies in a whole Keras model: its description, its version, and damaged archives."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from imgcls.core.models.keras_file.contents import KerasFile, read_keras_file

CONFIG = json.dumps({"class_name": "Sequential"})


@pytest.fixture
def weights(tmp_path: Path) -> bytes:
    path = tmp_path / "weights"
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.array([1, 2], np.float64)
        file["optimizer/vars/0"] = np.zeros(3)
    return path.read_bytes()


def archive(path: Path, compression: int = zipfile.ZIP_STORED, **members: Any) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return path


def test_a_keras_file(tmp_path: Path, weights: bytes) -> None:
    members = {"config__json": CONFIG, "model__weights__h5": weights}
    version = json.dumps({"keras_version": "3.1.0"})
    path = archive(tmp_path / "m.h5", **members, metadata__json=version)  # whatever its name
    found = read_keras_file(path, tmp_path)
    assert (found.config, found.version) == ({"class_name": "Sequential"}, "3.1.0")
    assert found.weight_names is None and not found.is_keras2
    assert list(found.arrays) == ["layers/dense/vars/0"]  # and nothing of the training
    assert found.arrays["layers/dense/vars/0"].dtype == np.float32


def test_an_h5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.keras", "w") as file:
        file.attrs["model_config"] = CONFIG
        file.attrs["keras_version"] = b"2.4.0"
        group = file.create_group("model_weights/d")
        group["d/kernel:0"] = np.ones(2, np.float32)
        group.attrs["weight_names"] = [b"d/kernel:0"]
    found = read_keras_file(tmp_path / "m.keras", tmp_path)
    assert found.is_keras2 and found.weight_names == {"d": ["d/kernel:0"]}
    assert list(found.arrays) == ["model_weights/d/d/kernel:0"]


def test_a_version_that_is_not_written_shows_in_the_description() -> None:
    assert KerasFile({"batch_input_shape": [None]}, "", {}, {}).is_keras2
    assert not KerasFile({"batch_shape": [None]}, "", {}, {}).is_keras2
    assert not KerasFile({"batch_input_shape": [None]}, "3.0", {}, {}).is_keras2


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"config__json": CONFIG}, "it holds no model.weights.h5, or several"),
        ({"model__weights__h5": b""}, "it holds no config.json, or several"),
        ({"config__json": "[]", "model__weights__h5": b""}, "its description is none"),
        (
            {"config__json": '{"a":' * 100_000, "model__weights__h5": b""},
            "its description is nested too deeply",
        ),
        (
            {"config__json": CONFIG, "model__weights__h5": bytes(2**20)},
            "its arrays would grow to 1 MB",
        ),
    ],
)
def test_refused(tmp_path: Path, members: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_keras_file(archive(tmp_path / "m.keras", zipfile.ZIP_DEFLATED, **members), tmp_path)
    assert message in str(caught.value)


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_group("d")
    with pytest.raises(ValueError, match="it holds no description of a network"):
        read_keras_file(tmp_path / "m.h5", tmp_path)

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import pytest

from imgcls.core.engines.model import load_model
from imgcls.core.errors import ModelError
from imgcls.core.models.foreign_files import KINDS, foreign_kind, import_refusal

KERAS2 = Path(__file__).parents[2] / "keras2_files"


def _zip(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")


def test_kinds_by_content(tmp_path: Path) -> None:
    path = tmp_path / "model"
    assert foreign_kind(KERAS2 / "nested.h5") is KINDS["keras"]
    assert foreign_kind(KERAS2 / "nested.keras") is KINDS["keras"]
    assert foreign_kind(tmp_path / "none") is None
    for content, kind in (
        (b"\x1c\0\0\0TFL3\0\0", "tflite"),
        (b"\x08\x07\x12\x04\x74est", "onnx"),
        (b'{"modelTopology": {}}', "tfjs"),
        (b"\x80\x04K\x01.", "pickle"),
    ):
        path.write_bytes(content)
        assert foreign_kind(path) is KINDS[kind]
    path.write_bytes(b"\xff\xd8\xff\xe0 a photo")
    assert foreign_kind(path) is None
    _zip(path, "archive/data.pkl")
    assert foreign_kind(path) is KINDS["torch"]
    _zip(path, "metadata.json", "config.json")
    assert foreign_kind(path) is KINDS["keras"]
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = [1.0]
    assert foreign_kind(path) is KINDS["keras_weights"]
    with h5py.File(path, "w") as file:
        file["numbers"] = [1.0]
    assert foreign_kind(path) is KINDS["hdf5"]
    assert foreign_kind(tmp_path) is None
    (tmp_path / "saved_model.pb").write_bytes(b"")
    assert foreign_kind(tmp_path) is KINDS["saved_model"]


def test_loading_one_says_how_it_is_taken_over(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"run imgcls models import .*nested\.h5"):
        load_model(str(KERAS2 / "nested.h5"))
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ModelError, match="is a SavedModel"):
        load_model(str(tmp_path))


def test_what_models_import_does_not_take(tmp_path: Path) -> None:
    assert import_refusal(KERAS2 / "nested.h5") is None
    path = tmp_path / "m.safetensors"
    path.write_bytes((20).to_bytes(8, "little") + b"{}")
    assert import_refusal(path) == (
        f"{path}: is no Keras model; if imgcls wrote it, it is used as it is, with `model`"
    )
    path.write_bytes(b"text")
    assert str(import_refusal(path)).startswith(f"{path}: is no Keras model; run imgcls models ")
    path.write_bytes(b"\x1c\0\0\0TFL3\0\0")
    assert str(import_refusal(path)).startswith(f"{path}: is a TensorFlow Lite model, ")


@pytest.mark.parametrize("length", [0x0280, 0x0580, 0x1208])
def test_a_model_file_is_not_taken_for_another_by_the_length_of_its_header(
    tmp_path: Path, length: int
) -> None:
    # As numbers of eight bytes these begin like pickles of protocol 2 and 5, and like ONNX.
    path = tmp_path / "mine.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b"{".ljust(length))
    assert foreign_kind(path) is None

"""Model files of other programs: which kind one is, by its content, and what to do with it."""

from __future__ import annotations

import mmap
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imgcls.core.models.hdf5_file import is_hdf5


@dataclass(frozen=True)
class ForeignKind:
    """A kind of model file.

    Attributes:
        name: what it is, as the predicate of a sentence.
        way_on: what to do with it where imgcls wants a model of its own.
        is_whole_keras: whether `imgcls models import` takes it.
    """

    name: str
    way_on: str
    is_whole_keras: bool = False


_IMPORT = "run imgcls models import FILE -o MODEL.safetensors, and use that"
_SAVE = "run imgcls models import on a whole model, as model.save('model.keras') writes it"

KINDS: Mapping[str, ForeignKind] = {
    "keras": ForeignKind("is a Keras model", _IMPORT, is_whole_keras=True),
    "keras_weights": ForeignKind(
        "holds weights without their network",
        "imgcls models add NAME --weights FILE takes those of a named network; for another one "
        + _SAVE,
    ),
    "hdf5": ForeignKind("is an HDF5 file without a Keras model", _SAVE),
    "tflite": ForeignKind(
        "is a TensorFlow Lite model, whose layers are merged and cannot be told apart again",
        "run imgcls models import on the Keras model that it was made of",
    ),
    "saved_model": ForeignKind(
        "is a SavedModel, which holds operations and no layers",
        _SAVE,
    ),
    "onnx": ForeignKind(
        "is an ONNX model, which imgcls does not read",
        "if it was made of a Keras model, run imgcls models import on that",
    ),
    "torch": ForeignKind(
        "is a PyTorch file, which needs its author's code",
        "there is no safe way to take it over; train one with imgcls finetune",
    ),
    "tfjs": ForeignKind(
        "is a TensorFlow.js model",
        "export it as Keras (in Teachable Machine: TensorFlow, Keras), "
        "and run imgcls models import on that",
    ),
    "pickle": ForeignKind(
        "is a pickle, which runs code when it is read",
        "save the model as .keras and run imgcls models import on it",
    ),
}

# The upper half of the header's length and the header's first character. The lower half may be
# any bytes, those that a pickle or an ONNX model begins with too.
_SAFETENSORS = b"\0\0\0\0{"


def refusal(path: Path) -> str | None:
    """Return why a file is no model file of imgcls and what to do; None if it may be one."""
    kind = foreign_kind(path)
    if kind is None:
        return None
    return f"{path}: {kind.name}; {kind.way_on.replace('FILE', str(path))}"


def import_refusal(path: Path) -> str | None:
    """Return why `models import` does not take a file and what to do; None if it may."""
    kind = foreign_kind(path)
    if kind is not None:
        return None if kind.is_whole_keras else refusal(path)
    if _is_safetensors(path):
        return f"{path}: is no Keras model; if imgcls wrote it, it is used as it is, with `model`"
    return f"{path}: is no Keras model; {_SAVE}"


def _is_safetensors(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(9)[4:] == _SAFETENSORS
    except OSError:
        return False


def foreign_kind(path: Path) -> ForeignKind | None:
    """Return what kind of model file another program wrote; None if it is none of them."""
    if path.is_dir():
        is_saved = any((path / name).is_file() for name in ("saved_model.pb", "keras_metadata.pb"))
        return KINDS["saved_model"] if is_saved else None
    try:
        with open(path, "rb") as file:
            start = file.read(512)
        if start[4:9] == _SAFETENSORS:
            return None
        if start[4:8] == b"TFL3":  # a zip of labels may be appended to it
            return KINDS["tflite"]
        if is_hdf5(path):
            return KINDS[_kind_of_hdf5(path)]
        if zipfile.is_zipfile(path):
            return _kind_of_zip(path)
    except OSError:
        return None
    return _kind_of_bytes(path, start)


def _kind_of_bytes(path: Path, start: bytes) -> ForeignKind | None:
    if path.name in ("saved_model.pb", "keras_metadata.pb"):
        return KINDS["saved_model"]
    if start[:1] == b"\x08" and (b"\x12" in start[:4] or path.suffix == ".onnx"):
        return KINDS["onnx"]
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return KINDS["torch" if path.suffix in (".pt", ".pth", ".bin", ".ckpt") else "pickle"]
    if start.lstrip()[:1] == b"{" and b'"modelTopology"' in start:
        return KINDS["tfjs"]
    return None


def _kind_of_zip(path: Path) -> ForeignKind | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return None
    if "config.json" in names:
        return KINDS["keras"]
    return KINDS["torch"] if any(name.endswith("data.pkl") for name in names) else None


def _kind_of_hdf5(path: Path) -> str:
    """Look for the names that Keras gives to things, without a library that a file can upset."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(b"model_config") >= 0:
            return "keras"
        names = (b"layer_names", b"vars", b"_layer_checkpoint_dependencies")
        return "keras_weights" if any(content.find(name) >= 0 for name in names) else "hdf5"

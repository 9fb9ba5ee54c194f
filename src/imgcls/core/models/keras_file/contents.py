"""Open what Keras saved: the description of the network as JSON, and its arrays.

Nothing here knows Keras, and no code that the file may hold is run.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgcls.core.models.keras_file.hdf5 import Hdf5File, open_hdf5

_MAX_CONFIG = 32 * 2**20  # characters; NASNetLarge's has 3 million
_MAX_WEIGHTS = 16 * 2**30  # bytes
# model.weights.h5 is not packed by Keras; a packed one of real weights hardly shrinks.
_MAX_GROWTH = 16


@dataclass(frozen=True)
class KerasFile:
    """What lies in a whole Keras model.

    Attributes:
        config: how the model is made, as Keras wrote it.
        version: of the Keras that wrote it; empty if it does not say.
        weights: its arrays.
        by_name: whether the arrays have the layers' own names (.h5) or running numbers by
            class (.keras).
    """

    config: dict[str, Any]
    version: str
    weights: Hdf5File
    by_name: bool

    @property
    def is_keras2(self) -> bool:
        """Whether Keras 2 wrote it, some of whose functions compute something else."""
        return not self.version.startswith("3") and (
            self.version.startswith(("1", "2")) or '"batch_input_shape"' in json.dumps(self.config)
        )


def open_keras_file(path: Path, folder: Path) -> KerasFile:
    """Open a .keras or .h5 file, whatever its name.

    Args:
        path: the file.
        folder: where the arrays of a .keras file are unpacked.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no whole Keras model, or not a sound one.
    """
    if zipfile.is_zipfile(path):
        return _open_zip(path, folder)
    weights = open_hdf5(path)
    text = weights.text("model_config")
    if text is None:
        raise ValueError("it holds no description of a network")
    return KerasFile(_parse(text), weights.text("keras_version") or "", weights, by_name=True)


def _open_zip(path: Path, folder: Path) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in ("config.json", "model.weights.h5"):
            if names.count(name) != 1:
                raise ValueError(f"it holds no {name}, or several")
        config = _parse(_member(archive, "config.json"))
        version = ""
        if "metadata.json" in names:
            version = str(_parse(_member(archive, "metadata.json")).get("keras_version", ""))
        target = folder / "model.weights.h5"
        info = archive.getinfo("model.weights.h5")
        if info.file_size > min(_MAX_WEIGHTS, _MAX_GROWTH * path.stat().st_size):
            raise ValueError(f"its arrays would take {info.file_size / 2**30:.1f} GB")
        with archive.open(info) as source, open(target, "wb") as copy:
            shutil.copyfileobj(source, copy, 2**20)
    return KerasFile(config, version, open_hdf5(target), by_name=False)


def _member(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        content = file.read(_MAX_CONFIG + 1)
    return content.decode()


def _parse(text: str) -> dict[str, Any]:
    if len(text) > _MAX_CONFIG:
        raise ValueError("its description is too long")
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise ValueError("its description is none")
    return parsed

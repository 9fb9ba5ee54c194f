"""Open what Keras saved: the description of the network as JSON, and its arrays.

Nothing here knows Keras, and no code that the file may hold is run.
"""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.models.hdf5_file import check_tensors, child, names, open_hdf5

if TYPE_CHECKING:
    import h5py

_MAX_CONFIG = 32 * 2**20  # characters; NASNetLarge's has 3 million
# model.weights.h5 is not packed by Keras; a packed one of real weights hardly shrinks.
_MAX_GROWTH = 8
# Where a .keras file keeps the layers of a model; the second is of Keras 2.12.
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"


@dataclass(frozen=True)
class KerasFile:
    """What lies in a whole Keras model.

    Attributes:
        config: how the model is made, as Keras wrote it.
        version: of the Keras that wrote it; empty if it does not say.
        arrays: the weights by path, float32.
        weight_names: of an .h5 file, the names of the weights of each layer of the outer model,
            in order; None for a .keras file, which has running numbers by class.
    """

    config: dict[str, Any]
    version: str
    arrays: Mapping[str, Float32Array]
    weight_names: Mapping[str, list[str]] | None

    @property
    def is_keras2(self) -> bool:
        """Whether Keras 2 wrote it, some of whose functions compute something else."""
        if self.version:
            return not self.version.startswith("3")
        return "batch_input_shape" in json.dumps(self.config)


def read_keras_file(path: Path, folder: Path) -> KerasFile:
    """Read a .keras or .h5 file, whatever its name.

    Args:
        path: the file.
        folder: where the arrays of a .keras file are unpacked.

    Raises:
        ValueError: it is no whole Keras model, or not a sound one.
        WeightsError: its arrays are damaged or refused.
    """
    if zipfile.is_zipfile(path):
        config, version = _unpack(path, folder)
        with open_hdf5(folder / _WEIGHTS) as weights:
            arrays = dict(_arrays(weights, CONTAINERS))
        return KerasFile(config, version, arrays, None)
    with open_hdf5(path) as file:
        texts = [_text(file, name) for name in ("model_config", "keras_version")]
        arrays = dict(_arrays(file, ("model_weights",)))
        groups = child(file, "model_weights")
        found = {} if groups is None else dict(_weight_names(groups))
    if texts[0] is None:
        raise ValueError("it holds no description of a network")
    return KerasFile(_parse(texts[0]), texts[1] or "", arrays, found)


def _arrays(file: h5py.File, groups: Iterable[str]) -> Iterator[tuple[str, Float32Array]]:
    """Yield the arrays in some groups of a file, whose other ones belong to the training."""
    for name in groups:
        group = child(file, name)
        for path in check_tensors(group) if group is not None else ():
            yield f"{name}/{path}", np.asarray(group[path][()]).astype(np.float32)  # type: ignore[index]


def _weight_names(groups: h5py.Group) -> Iterator[tuple[str, list[str]]]:
    for name in groups:
        group = child(groups, name)
        if group is not None:
            yield name, names(group, "weight_names")


def _unpack(path: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """Return configuration and version of a .keras file, and unpack its arrays."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            for name in (_CONFIG, _WEIGHTS):
                if members.count(name) != 1:
                    raise ValueError(f"it holds no {name}, or several")
            config = _parse(_member(archive, _CONFIG))
            metadata = _parse(_member(archive, _METADATA)) if _METADATA in members else {}
            info = archive.getinfo(_WEIGHTS)
            if info.file_size > _MAX_GROWTH * path.stat().st_size:
                raise ValueError(f"its arrays would grow to {info.file_size // 2**20:,} MB")
            with archive.open(info) as source, open(folder / _WEIGHTS, "wb") as copy:
                shutil.copyfileobj(source, copy, 2**20)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"it is damaged ({error})") from error
    return config, str(metadata.get("keras_version", ""))


def _member(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        return file.read(_MAX_CONFIG + 1).decode()


def _text(file: h5py.File, attribute: str) -> str | None:
    value = file.attrs.get(attribute)
    if value is not None and not isinstance(value, str | bytes):
        raise ValueError(f"its {attribute} is no text")
    return value.decode() if isinstance(value, bytes) else value


def _parse(text: str) -> dict[str, Any]:
    if len(text) > _MAX_CONFIG:
        raise ValueError("its description is too long")
    try:
        parsed = json.loads(text)
    except RecursionError:
        raise ValueError("its description is nested too deeply") from None
    if not isinstance(parsed, dict):
        raise ValueError("its description is none")
    return parsed

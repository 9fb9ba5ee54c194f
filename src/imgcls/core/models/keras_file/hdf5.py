"""Read arrays and texts from an HDF5 file of a stranger, with bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array

_MAX_OBJECTS = 200_000
_MAX_DEPTH = 64
_MAX_AXES = 8
_MAX_NAMES = 200_000
# Arrays may be packed, but Keras' own never are; random weights hardly shrink. What grows by
# more than this, or was never written at all, is made to fill the memory.
_MAX_GROWTH = 16
_ALWAYS_ALLOWED = 2**24  # bytes


@dataclass(frozen=True)
class Hdf5File:
    """The arrays of an HDF5 file, found without following any link out of it.

    Attributes:
        file: the open h5py file.
        shapes: of its arrays, by path ("layers/dense/vars/0"), in the file's order.
    """

    file: Any
    shapes: Mapping[str, tuple[int, ...]]

    def read(self, path: str) -> Float32Array:
        """Read one array as float32.

        Raises:
            ValueError: it holds numbers that are not finite.
        """
        with np.errstate(over="ignore"):
            array = np.asarray(self.file[path][()]).astype(np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"{path} holds numbers that are not finite")
        return array

    def text(self, attribute: str, path: str = "/") -> str | None:
        """Return a text that is attached to a group; None if there is none."""
        value = self.file[path].attrs.get(attribute)
        return value.decode() if isinstance(value, bytes) else value

    def names(self, attribute: str, path: str) -> list[str]:
        """Return a list of names that is attached to a group; Keras splits long ones."""
        attributes = self.file[path].attrs
        parts = [attributes[attribute]] if attribute in attributes else []
        while f"{attribute}{len(parts)}" in attributes:
            parts.append(attributes[f"{attribute}{len(parts)}"])
        if sum(len(part) for part in parts) > _MAX_NAMES:
            raise ValueError("it lists too many names")
        return [
            name.decode() if isinstance(name, bytes) else str(name)
            for part in parts
            for name in part
        ]


def open_hdf5(path: Path) -> Hdf5File:
    """Open an HDF5 file and list its arrays, none of which is read.

    Raises:
        OSError: it cannot be read.
        ValueError: something in it points elsewhere, or would take more memory than the file
            accounts for.
    """
    import h5py

    file = h5py.File(path, "r")
    shapes = dict(_arrays(file, "", 0, set()))
    size = sum(file[name].nbytes for name in shapes)
    if size > max(_ALWAYS_ALLOWED, _MAX_GROWTH * path.stat().st_size):
        raise ValueError(f"its arrays would take {size / 2**30:.1f} GB, more than it can hold")
    return Hdf5File(file, shapes)


def _arrays(
    group: Any, prefix: str, depth: int, seen: set[int]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    import h5py

    if depth > _MAX_DEPTH:
        raise ValueError("its groups lie too deep in each other")
    for name in group:
        path = f"{prefix}{name}"
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{path[:100]} is a link")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen or len(seen) >= _MAX_OBJECTS:
            raise ValueError(f"{path[:100]} is there twice, or one of too many")
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _arrays(item, f"{path}/", depth + 1, seen)
        elif isinstance(item, h5py.Dataset):
            _check(item, path)
            yield path, tuple(item.shape)


def _check(array: Any, path: str) -> None:
    if array.shape is None or len(array.shape) > _MAX_AXES or array.dtype.kind not in "fiu":
        raise ValueError(f"{path[:100]} is no array of numbers")
    if array.is_virtual or array.external:
        raise ValueError(f"{path[:100]} lies in another file")

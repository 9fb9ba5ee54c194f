"""HDF5 files of unknown origin: what lies in them is checked before any of it is read.

A few kilobytes of HDF5 can describe groups without end, tensors of terabytes, and data that lies
in other files. So objects are counted, none is met twice, only hard links are followed, only
plain numbers count as tensors, and all tensors together may be little larger than the file.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcls.core.errors import WeightsError

if TYPE_CHECKING:
    import h5py

Shape = tuple[int, ...]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# The largest networks of keras.applications have 4,700 objects, eight groups deep.
_MOST_OBJECTS = 10_000
_MOST_DEPTH = 64
_LONGEST_NAME = 1_000  # characters
_MOST_ATTRIBUTE_BYTES = 2**17  # of fixed texts, or of 16-byte references to others
_MOST_ATTRIBUTE_PARTS = 64
# Weights do not compress well; a file that is eight times larger once unpacked is a bomb.
_UNPACKED = 8
_ALLOWANCE = 2**20  # bytes, for files that are small
_LARGEST_PIECE = 64 * 2**20  # bytes, that are unpacked at once
# Other filters are code that HDF5 loads from a folder: deflate, shuffle, checksum, LZF.
_FILTERS = {1, 2, 3, 32_000}
_LARGEST_NUMBER = float(np.finfo(np.float32).max)
# What h5py makes of whatever HDF5 finds wrong with a file.
_ERRORS = (OSError, RuntimeError, LookupError, ValueError, TypeError, ArithmeticError)


def is_hdf5(path: Path) -> bool:
    """Whether a file begins like HDF5, whatever its name."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_SIGNATURE)) == _SIGNATURE
    except OSError:
        return False


class _RefusedError(Exception):
    """Something in the file that no weights file has; the text says what."""


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for the functions of this module; whatever is wrong with it is one error.

    Raises:
        WeightsError: it cannot be opened, or what is read of it in the block is refused or
            damaged.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except _RefusedError as error:
        raise WeightsError(f"{path}: {error}; it is not used") from None
    except MemoryError as error:
        raise WeightsError(f"{path}: asks for too much memory; it is not used") from error
    except _ERRORS as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{path}: is damaged or no HDF5 file ({reason})") from error


def tensor_shapes(group: h5py.Group) -> dict[str, Shape]:
    """Return the shape of each tensor in and below a group by its path; the numbers are not read.

    Args:
        group: of a file that `open_hdf5` opened.

    Raises in the block of `open_hdf5` if anything else than groups and tensors lies there.
    """
    return {path: tuple(tensor.shape) for path, tensor in _tensors(group)}


def check_tensors(group: h5py.Group) -> dict[str, Shape]:
    """Return what `tensor_shapes` does, and read the numbers, some megabytes at a time.

    Raises in the block of `open_hdf5` also if there are numbers that are not finite in float32.
    """
    shapes = {}
    for path, tensor in _tensors(group):
        _check_numbers(tensor, path)
        shapes[path] = tuple(tensor.shape)
    return shapes


def _tensors(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    budget = _Budget(os.fstat(group.file.id.get_vfd_handle()).st_size)
    budget.enter(group)
    return _walk(group, "", 1, budget)


def child(group: h5py.Group, name: str) -> h5py.Group | None:
    """Return the group that a hard link of this name leads to; None if there is none."""
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    found = group[name]
    return found if isinstance(found, h5py.Group) else None


def has_names(group: h5py.Group, attribute: str) -> bool:
    """Whether `names` finds such an attribute."""
    return attribute in group.attrs or f"{attribute}0" in group.attrs


def names(group: h5py.Group, attribute: str) -> list[str]:
    """Return the names that an attribute lists.

    Where one attribute would be too large for HDF5, Keras continues in `attribute0`,
    `attribute1` and so on.

    Raises in the block of `open_hdf5` if it is no list of texts.
    """
    if attribute in group.attrs:
        return _texts(group, attribute)
    found: list[str] = []
    for part in range(_MOST_ATTRIBUTE_PARTS):
        if f"{attribute}{part}" not in group.attrs:
            break
        found += _texts(group, f"{attribute}{part}")
    return found


class _Budget:
    """What a file may still ask for."""

    def __init__(self, file_bytes: int) -> None:
        self._bytes = _UNPACKED * file_bytes + _ALLOWANCE
        self._objects = _MOST_OBJECTS
        self._seen: set[Any] = set()

    def take(self, objects: int, size: int = 0) -> None:
        self._objects -= objects
        self._bytes -= size
        if self._objects < 0:
            raise _RefusedError(f"holds more than {_MOST_OBJECTS} objects")
        if self._bytes < 0:
            raise _RefusedError("its tensors are far larger than the file")

    def enter(self, entry: Any) -> None:
        import h5py

        address = h5py.h5o.get_info(entry.id).addr
        if address in self._seen:
            raise _RefusedError(f"{entry.name} is there twice, by two hard links")
        self._seen.add(address)


def _walk(
    group: h5py.Group, path: str, depth: int, budget: _Budget
) -> Iterator[tuple[str, h5py.Dataset]]:
    import h5py

    if depth > _MOST_DEPTH:
        raise _RefusedError(f"its groups are nested more than {_MOST_DEPTH} deep")
    budget.take(len(group))
    for name in group:
        inner = f"{path}{name}"
        if len(name) > _LONGEST_NAME:
            raise _RefusedError(f"{inner[:50]}… is too long for a name")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _RefusedError(f"{inner} is a link")
        entry = group[name]
        budget.enter(entry)
        if isinstance(entry, h5py.Group):
            yield from _walk(entry, f"{inner}/", depth + 1, budget)
        elif isinstance(entry, h5py.Dataset):
            budget.take(_pieces_of(entry, inner), math.prod(entry.shape) * entry.dtype.itemsize)
            yield inner, entry
        else:
            raise _RefusedError(f"{inner} is neither a group nor a tensor")


def _check_numbers(tensor: h5py.Dataset, name: str) -> None:
    if tensor.dtype.kind != "f":
        return
    for place in _pieces(tensor):
        piece = tensor[place]
        # As Python's floats: in float16 the bound itself would be infinite.
        low, high = float(piece.min()), float(piece.max())
        if not -_LARGEST_NUMBER <= low <= high <= _LARGEST_NUMBER:  # nor is NaN
            raise _RefusedError(f"{name} holds numbers that are not finite")


def _pieces_of(tensor: h5py.Dataset, name: str) -> int:
    """Return in how many pieces a tensor is stored, once it is known to be a plain one."""
    import h5py

    # The class alone: describing a nested type in Python takes as many calls as it is deep.
    kind = type(tensor.id.get_type())
    if kind not in (h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID) or tensor.shape is None:
        raise _RefusedError(f"{name} is no tensor of numbers")
    if tensor.dtype.kind not in "fiu" or tensor.dtype.itemsize > 8:
        raise _RefusedError(f"{name} is no tensor of numbers")
    if tensor.is_virtual or tensor.external:
        raise _RefusedError(f"{name} lies in another file")
    creation = tensor.id.get_create_plist()
    if not {creation.get_filter(i)[0] for i in range(creation.get_nfilters())} <= _FILTERS:
        raise _RefusedError(f"{name} is packed by a filter that is not read")
    if tensor.chunks is None:
        return 0
    if math.prod(tensor.chunks) * tensor.dtype.itemsize > _LARGEST_PIECE:
        raise _RefusedError(f"{name} is packed in pieces of more than {_LARGEST_PIECE >> 20} MB")
    return math.prod(
        math.ceil(side / piece) for side, piece in zip(tensor.shape, tensor.chunks, strict=True)
    )


def _pieces(tensor: h5py.Dataset) -> Iterable[tuple[slice, ...]]:
    if not tensor.size:
        return ()
    if tensor.chunks is not None:
        chunks: Iterable[tuple[slice, ...]] = tensor.iter_chunks()
        return chunks
    return _blocks(tensor.shape, _LARGEST_PIECE // 8)


def _blocks(shape: Shape, most: int) -> Iterator[tuple[slice, ...]]:
    """Cut a shape into blocks of at most so many numbers."""
    if math.prod(shape) <= most:
        yield ()
        return
    rows = most // math.prod(shape[1:])
    for start in range(0, shape[0], max(1, rows)):
        part = slice(start, start + max(1, rows))
        if rows:
            yield (part,)
        else:
            yield from ((part, *rest) for rest in _blocks(shape[1:], most))


def _texts(group: h5py.Group, attribute: str) -> list[str]:
    import h5py

    found = h5py.h5a.open(group.id, attribute.encode())
    kind = found.get_type()
    if found.shape == (0,):  # h5py stores an empty list as one of numbers
        return []
    listed = isinstance(kind, h5py.h5t.TypeStringID) and len(found.shape) == 1
    if not listed or found.get_storage_size() > _MOST_ATTRIBUTE_BYTES:
        raise _RefusedError(f"its attribute {attribute} is no list of names")
    texts = [n if isinstance(n, str) else n.decode() for n in group.attrs[attribute]]
    if any(text.startswith("/") for text in texts):  # from the root: not below this group
        raise _RefusedError(f"its attribute {attribute} names what lies elsewhere")
    return texts

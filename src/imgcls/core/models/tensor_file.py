"""A .safetensors file from a stranger: everything is checked before a tensor is read.

The form (https://github.com/huggingface/safetensors): the header's length in 8 bytes, the header
in JSON (a table of tensors, and `__metadata__` with text), the tensors' bytes. Ours adds to the
metadata a description in JSON and the SHA-256 over description, table and bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from imgcls.core.errors import ModelError
from imgcls.core.files import atomic_writer

_MAX_HEADER = 8 * 2**20  # bytes; 10,000 labels and 10,000 tensors need less
# Parts of a JSON text (keys, items, lists, objects), of which each takes memory when parsed.
_MAX_PARTS = 500_000
_MAX_AXES = 8
_METADATA = "__metadata__"
_DESCRIPTION = "imgcls"
_DIGEST = "sha256"
# Little-endian, as the format says; in the order of the tensors' bytes, wider items first.
_DTYPES: dict[str, np.dtype[Any]] = {"I64": np.dtype("<i8"), "F32": np.dtype("<f4")}
_HEADER_ALIGNMENT = 8


@dataclass(frozen=True)
class TensorFile:
    """A file whose header, length and hash are right.

    Attributes:
        path: the file.
        description: what the JSON in its metadata says.
        shapes: of its tensors, by name.
        dtypes: of its tensors, by name: "F32" or "I64".
        offsets: where in the file its tensors begin, by name.
    """

    path: Path
    description: dict[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, str]
    offsets: Mapping[str, int]

    def read(self, name: str) -> npt.NDArray[Any]:
        """Read one tensor, float32 or int64.

        Raises:
            ModelError: it holds a number that is not finite, or the file has changed meanwhile.
        """
        dtype, shape = _DTYPES[self.dtypes[name]], self.shapes[name]
        try:
            flat = np.fromfile(self.path, dtype, count=math.prod(shape), offset=self.offsets[name])
            tensor = flat.reshape(shape)
        except (OSError, ValueError) as error:
            raise ModelError(f"{self.path}: {name} cannot be read; get the file again") from error
        if not np.isfinite(tensor).all():
            raise ModelError(f"{self.path}: damaged: {name} holds numbers that are not finite")
        return tensor


def write_tensor_file(
    path: Path, description: Mapping[str, Any], tensors: Mapping[str, np.ndarray]
) -> None:
    """Write a file that `open_tensor_file` accepts, whole or not at all.

    The same description and tensors give the same bytes, in whatever order they are given.

    Args:
        path: the file.
        description: anything that JSON can hold.
        tensors: float32 or int64 arrays by name.

    Raises:
        OutputError: it cannot be written.
        ValueError: a tensor is of another type.
    """
    arrays, table, position = [], {}, 0
    for dtype, name in sorted((_dtype_name(array), name) for name, array in tensors.items()):
        array = np.asarray(tensors[name], _DTYPES[dtype], order="C")
        span = [position, position + array.nbytes]
        table[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": span}
        arrays.append(array)
        position += array.nbytes
    metadata = {_DESCRIPTION: _json(description)}
    header = {_METADATA: metadata, **table}
    digest = _digest(header)
    for array in arrays:
        digest.update(array.data)
    metadata[_DIGEST] = digest.hexdigest()
    text = _json(header).encode()
    text += b" " * (-len(text) % _HEADER_ALIGNMENT)
    with atomic_writer(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays:
            file.write(array.data)


def _dtype_name(array: npt.NDArray[Any]) -> str:
    """Return what the format calls an array's type."""
    names = [name for name, dtype in _DTYPES.items() if dtype == array.dtype]
    if not names:
        raise ValueError(f"a tensor is {array.dtype}, neither float32 nor int64")
    return names[0]


def _json(content: Any) -> str:
    """Return the one spelling in which JSON is written and hashed."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def open_tensor_file(path: Path) -> TensorFile:
    """Check a file and read its description, none of its tensors.

    Raises:
        ModelError: it cannot be read, is no such file or is damaged.
    """
    try:
        with open(path, "rb") as file:
            header, start = _read_header(file)
            description = _description(header)
            table = {name: entry for name, entry in header.items() if name != _METADATA}
            dtypes, shapes, begins, length = _check_table(table)
            if os.fstat(file.fileno()).st_size != start + length:
                raise ValueError("its length is not what its header says")
            digest = _digest(header)
            while block := file.read(2**20):
                digest.update(block)
            if digest.hexdigest() != header[_METADATA][_DIGEST]:
                raise ValueError("its SHA-256 is not what it says; get the file again")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not a model file of imgcls, or damaged: {error}") from error
    offsets = {name: start + begin for name, begin in begins.items()}
    return TensorFile(path, description, shapes, dtypes, offsets)


def _read_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header and the place where the tensors' bytes begin."""
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= _MAX_HEADER:
        raise ValueError("it does not begin like one")
    text = file.read(length)
    if len(text) != length:
        raise ValueError("it is cut off")
    header = _parse(text)
    metadata = header.get(_METADATA)
    if not isinstance(metadata, dict):
        raise ValueError("it has no metadata")
    if metadata.keys() != {_DESCRIPTION, _DIGEST}:
        raise ValueError("it was not written by imgcls")
    return header, 8 + length


def _description(header: Mapping[str, Any]) -> dict[str, Any]:
    text = header[_METADATA][_DESCRIPTION]
    if not isinstance(text, str):
        raise ValueError("it was not written by imgcls")
    return _parse(text)


def _parse(text: str | bytes) -> dict[str, Any]:
    """Parse JSON that is no larger in memory than some times its text."""
    raw = text.encode() if isinstance(text, str) else text
    if sum(raw.count(sign) for sign in (b",", b":", b"[", b"{")) > _MAX_PARTS:
        raise ValueError(f"its header has over {_MAX_PARTS} parts")
    parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(parsed, dict):
        raise ValueError("its header is no object")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("a key stands in it twice")
    return unique


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} stands in it")


def _check_table(
    table: Mapping[str, Any],
) -> tuple[dict[str, str], dict[str, tuple[int, ...]], dict[str, int], int]:
    """Check that the tensors lie one behind the other and fill the file.

    Returns:
        By name, dtypes, shapes and where they begin; and the length of all tensors in bytes.
    """
    dtypes, shapes, begins, spans = {}, {}, {}, []
    for name, entry in table.items():
        match entry:
            case {"dtype": str(dtype), "shape": list(sides), "data_offsets": [begin, end]} if (
                len(entry) == 3
                and dtype in _DTYPES
                and len(sides) <= _MAX_AXES
                and all(_is_size(number) for number in (*sides, begin, end))
                and end - begin == math.prod(sides) * _DTYPES[dtype].itemsize
            ):
                dtypes[name], shapes[name], begins[name] = dtype, tuple(sides), begin
                spans.append((begin, end))
            case _:
                raise ValueError(f"its entry of tensor {name[:100]!r} makes no sense")
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise ValueError("its tensors overlap or leave gaps")
        position = end
    return dtypes, shapes, begins, position


def _is_size(number: Any) -> bool:
    return type(number) is int and 0 <= number < 2**48


def _digest(header: Mapping[str, Any]) -> Any:
    """Begin the SHA-256 with the header, but for the digest itself, in one fixed spelling."""
    metadata = {key: text for key, text in header[_METADATA].items() if key != _DIGEST}
    return hashlib.sha256(_json({**header, _METADATA: metadata}).encode())

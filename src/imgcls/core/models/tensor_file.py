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

from imgcls.core.errors import ModelError
from imgcls.core.files import atomic_writer

_MAX_HEADER = 8 * 2**20  # bytes; 10,000 labels and 10,000 tensors need less
_MAX_AXES = 8
_METADATA = "__metadata__"
_DESCRIPTION = "imgcls"
_DIGEST = "sha256"
_ITEM_BYTES = {"F32": 4, "I64": 8}


@dataclass(frozen=True)
class TensorFile:
    """A file whose header, length and hash are right.

    Attributes:
        path: the file.
        description: what the JSON in its metadata says.
        shapes: of its tensors, by name.
        dtypes: of its tensors, by name: "F32" or "I64".
    """

    path: Path
    description: dict[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, str]

    def read(self, name: str) -> np.ndarray:
        """Read one tensor.

        Raises:
            ModelError: it holds a number that is not finite.
        """
        from safetensors import safe_open

        with safe_open(self.path, framework="numpy") as file:
            tensor: np.ndarray = file.get_tensor(name)
        if not np.isfinite(tensor).all():
            raise ModelError(f"{self.path}: damaged: {name} holds numbers that are not finite")
        return tensor


def write_tensor_file(
    path: Path, description: Mapping[str, Any], tensors: Mapping[str, np.ndarray]
) -> None:
    """Write a file that `open_tensor_file` accepts, whole or not at all.

    Args:
        path: the file.
        description: anything that JSON can hold.
        tensors: float32 or int64 arrays by name.

    Raises:
        OutputError: it cannot be written.
    """
    from safetensors.numpy import save

    arrays = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    metadata = {_DESCRIPTION: json.dumps(description, allow_nan=False)}
    content = save(arrays, metadata)
    length = int.from_bytes(content[:8], "little")
    digest = _digest(json.loads(content[8 : 8 + length]))
    digest.update(content[8 + length :])
    with atomic_writer(path) as file:
        file.write(save(arrays, metadata | {_DIGEST: digest.hexdigest()}))


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
            dtypes, shapes, length = _check_table(table)
            if os.fstat(file.fileno()).st_size != start + length:
                raise ValueError("its length is not what its header says")
            digest = _digest(header)
            while block := file.read(2**20):
                digest.update(block)
            if digest.hexdigest() != header[_METADATA].get(_DIGEST):
                raise ValueError("its SHA-256 is not what it says; get the file again")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not a model file of imgcls, or damaged: {error}") from error
    return TensorFile(path, description, shapes, dtypes)


def _read_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header and the place where the tensors' bytes begin."""
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= _MAX_HEADER:
        raise ValueError("it does not begin like one")
    text = file.read(length)
    if len(text) != length:
        raise ValueError("it is cut off")
    header = _parse(text)
    if not isinstance(header.get(_METADATA), dict):
        raise ValueError("it has no metadata")
    return header, 8 + length


def _description(header: Mapping[str, Any]) -> dict[str, Any]:
    text = header[_METADATA].get(_DESCRIPTION)
    if not isinstance(text, str):
        raise ValueError("it was not written by imgcls")
    return _parse(text)


def _parse(text: str | bytes) -> dict[str, Any]:
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
) -> tuple[dict[str, str], dict[str, tuple[int, ...]], int]:
    """Check that the tensors lie one behind the other and fill the file.

    Returns:
        dtypes and shapes by name, and the length of all tensors in bytes.
    """
    dtypes, shapes, spans = {}, {}, []
    for name, entry in table.items():
        match entry:
            case {"dtype": str(dtype), "shape": list(sides), "data_offsets": [begin, end]} if (
                len(entry) == 3
                and dtype in _ITEM_BYTES
                and len(sides) <= _MAX_AXES
                and all(_is_size(number) for number in (*sides, begin, end))
                and end - begin == math.prod(sides) * _ITEM_BYTES[dtype]
            ):
                dtypes[name], shapes[name] = dtype, tuple(sides)
                spans.append((begin, end))
            case _:
                raise ValueError(f"its entry of tensor {name[:100]!r} makes no sense")
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise ValueError("its tensors overlap or leave gaps")
        position = end
    return dtypes, shapes, position


def _is_size(number: Any) -> bool:
    return type(number) is int and 0 <= number < 2**48


def _digest(header: Mapping[str, Any]) -> Any:
    """Begin the SHA-256 with the header, but for the digest itself, in one fixed spelling."""
    metadata = {key: text for key, text in header[_METADATA].items() if key != _DIGEST}
    fixed = json.dumps({**header, _METADATA: metadata}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(fixed.encode())

"""Read a PyTorch checkpoint of the old, non-zip format without torch and without running code.

The format (torch.serialization, `_legacy_save`): five pickles - magic number, protocol version,
system facts, the object, the storage keys in order - and then each storage as an int64 count
and raw little-endian numbers. The third name a file may use besides a dictionary and a tensor
is its storage type; any other name is an error.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from imgcls.core.errors import WeightsError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
# What unpickling raises on damaged files: whatever an opcode stumbles over.
_DAMAGE = (
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,
)
# The five pickles of a large network take half a megabyte.
_MAX_PICKLES = 8 * 2**20  # bytes
_MEMO_OPCODES = ("PUT", "BINPUT", "LONG_BINPUT")
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Tensor:
    """A tensor's place in a storage, filled in when the storages are read."""

    def __init__(
        self, storage: tuple[str, np.dtype[Any], int], offset: int, size: Any, stride: Any, *_: Any
    ) -> None:
        self.key, self.dtype, self.count = storage
        self.offset, self.size, self.stride = offset, size, stride


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a checkpoint")

    def persistent_load(self, pid: Any) -> tuple[str, np.dtype[Any], int]:
        match pid:
            case ("storage", np.dtype() as dtype, str(key), "cpu", int(count), None):
                return key, dtype, count
        raise pickle.UnpicklingError("a storage is described in a way that is not known")


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """Read a state dictionary.

    Args:
        path: a file written by `torch.save(model.state_dict(), path)` before PyTorch 1.6.

    Returns:
        name → float32 or int64 array.

    Raises:
        WeightsError: the file is no such checkpoint, or names anything else than tensors.
    """
    try:
        with open(path, "rb") as file:
            return _read(file)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
    except _DAMAGE as error:
        reason = str(error) or "it is damaged"
        raise WeightsError(f"{path}: not a checkpoint that imgcls reads: {reason}") from error


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    head = io.BytesIO(file.read(min(_MAX_PICKLES, os.fstat(file.fileno()).st_size)))
    magic, protocol, _system, state, keys = (_unpickle(head) for _ in range(5))
    file.seek(head.tell())
    if (magic, protocol) != (_MAGIC, _PROTOCOL):
        raise ValueError("wrong magic number")
    if not isinstance(state, OrderedDict) or not all(
        isinstance(tensor, _Tensor) for tensor in state.values()
    ):
        raise ValueError("it holds something else than tensors")
    dtypes = {tensor.key: tensor.dtype for tensor in state.values()}
    storages = {key: _read_storage(file, dtypes[key]) for key in keys}
    return {name: _view(storages[tensor.key], tensor) for name, tensor in state.items()}


def _unpickle(head: io.BytesIO) -> Any:
    """Load the next pickle, after a look at what it asks for.

    A few bytes could ask for a place among the remembered objects, or a length, that takes
    gigabytes.
    """
    start = head.tell()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(head)):
        if opcode.name in _MEMO_OPCODES and int(argument or 0) > count:
            raise ValueError("it remembers more objects than it has")
    end = head.tell()
    return _Unpickler(io.BytesIO(head.getbuffer()[start:end])).load()


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little", signed=True)
    there = os.fstat(file.fileno()).st_size - file.tell()
    if not 0 <= count * dtype.itemsize <= there:
        raise ValueError("it is cut off")
    numbers = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    if not np.isfinite(numbers).all():
        raise ValueError("it holds numbers that are not finite")
    return numbers


def _view(storage: np.ndarray, tensor: _Tensor) -> np.ndarray:
    """Take a tensor out of its storage, after checking that it lies within."""
    size = tuple(int(side) for side in tensor.size)
    stride = tuple(int(step) for step in tensor.stride)
    offset = int(tensor.offset)
    if len(size) != len(stride) or min((offset, *size, *stride), default=0) < 0:
        raise ValueError("a tensor is described in a way that is not known")
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    if 0 in size or last >= storage.size or math.prod(size) > storage.size:
        raise ValueError("a tensor does not lie in its storage")
    steps = tuple(step * storage.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)

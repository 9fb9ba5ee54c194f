"""Checkpoints made by hand: what is read, and that nothing else is."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.errors import WeightsError
from imgcls.core.models.torch_checkpoint import read_checkpoint

MAGIC = 0x1950A86A20F9469CFC6C


class Global:
    """Something that a pickle names by module and name; it is not there when it is written."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Storage:
    def __init__(self, key: str, kind: str, count: int) -> None:
        self.pid = ("storage", Global("torch", kind), key, "cpu", count, None)


class Tensor:
    def __init__(
        self, storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]
    ) -> None:
        self.arguments = (storage, offset, size, stride, False, collections.OrderedDict())


class Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]  # its methods can be extended
    def persistent_id(self, obj: Any) -> Any:
        return obj.pid if isinstance(obj, Storage) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Global("torch._utils", "_rebuild_tensor_v2"))
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def pickled(obj: Any) -> bytes:
    content = io.BytesIO()
    Pickler(content, 2).dump(obj)
    return content.getvalue()


def checkpoint(
    state: Any, storages: dict[str, np.ndarray], *, magic: int = MAGIC, protocol: int = 1001
) -> bytes:
    head = b"".join(map(pickled, (magic, protocol, {"little_endian": True}, state, [*storages])))
    return head + b"".join(
        struct.pack("<q", values.size) + values.tobytes() for values in storages.values()
    )


def state_of(**tensors: Tensor) -> collections.OrderedDict[str, Tensor]:
    return collections.OrderedDict(tensors)


FLOATS = np.arange(6, dtype="<f4")


def one_tensor(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    tensor = Tensor(Storage("a", "FloatStorage", 6), offset, size, stride)
    return checkpoint(state_of(weight=tensor), {"a": FLOATS})


def read(tmp_path: Path, content: bytes) -> dict[str, np.ndarray]:
    path = tmp_path / "checkpoint.pth"
    path.write_bytes(content)
    return read_checkpoint(path)


def refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(f"{tmp_path}/checkpoint.pth: not a checkpoint")


def test_tensors_are_read(tmp_path: Path) -> None:
    shared = Storage("a", "FloatStorage", 6)
    state = state_of(
        weight=Tensor(shared, 0, (2, 3), (3, 1)),
        turned=Tensor(shared, 0, (3, 2), (1, 3)),
        bias=Tensor(shared, 4, (2,), (1,)),
        scalar=Tensor(shared, 5, (), ()),
        steps=Tensor(Storage("b", "LongStorage", 1), 0, (1,), (1,)),
    )
    tensors = read(tmp_path, checkpoint(state, {"b": np.array([7], "<i8"), "a": FLOATS}))
    assert list(tensors) == ["weight", "turned", "bias", "scalar", "steps"]
    assert tensors["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tensors["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert tensors["bias"].tolist() == [4, 5]
    assert tensors["scalar"].tolist() == 5
    assert tensors["weight"].dtype == np.float32
    assert tensors["steps"].dtype == np.int64
    assert tensors["steps"].tolist() == [7]


class Runs:
    """Pickles as a call of os.system, which makes the file `proof`."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> Any:
        return os.system, (f"touch '{self.proof}'",)


def test_code_never_runs(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    attack = pickle.dumps(Runs(proof), 2)
    valid = [pickled(part) for part in (MAGIC, 1001, {}, state_of(), [])]
    for position in range(5):
        parts = [*valid[:position], attack, *valid[position + 1 :]]
        refused(tmp_path, b"".join(parts), r"system has no place in a checkpoint$")
    assert not proof.exists()
    pickle.loads(attack)
    assert proof.exists()  # or the test would prove nothing


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *(("builtins", "eval"), ("builtins", "getattr"), ("torch", "load")),
        *(("torch", "HalfStorage"), ("collections", "OrderedDict.fromkeys")),
        *(("torch._utils", "_rebuild_parameter"), ("numpy", "ndarray"), ("collections", "deque")),
    ],
)
def test_foreign_names_are_refused(tmp_path: Path, module: str, name: str) -> None:
    content = checkpoint(collections.OrderedDict(a=Global(module, name)), {})
    refused(tmp_path, content, f"{module}.{name} has no place in a checkpoint$")


def test_cut_anywhere_is_refused(tmp_path: Path) -> None:
    content = one_tensor(0, (2, 3), (3, 1))
    for length in range(len(content)):
        refused(tmp_path, content[:length], "not a checkpoint that imgcls reads: .")


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        pytest.param(1, (2, 3), (3, 1), id="beyond the end"),
        pytest.param(0, (7,), (1,), id="too long"),
        pytest.param(0, (2, 2), (5, 1), id="stride beyond the end"),
        pytest.param(6, (), (), id="scalar beyond the end"),
        pytest.param(-1, (2,), (1,), id="negative offset"),
        pytest.param(5, (2,), (-1,), id="negative stride"),
        pytest.param(0, (-2,), (1,), id="negative size"),
        pytest.param(0, (2, 3), (1,), id="too few strides"),
        pytest.param(0, (0,), (1,), id="empty"),
        pytest.param(0, (2**40, 2**40), (0, 2**40), id="huge"),
    ],
)
def test_tensor_out_of_its_storage_is_refused(
    tmp_path: Path, offset: int, size: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    refused(tmp_path, one_tensor(offset, size, stride), "a tensor ")


def test_tensor_that_repeats_one_number_for_ever_is_refused(tmp_path: Path) -> None:
    # A stride of 0 lies within the storage whatever the size; a copy of it would fill the memory.
    refused(tmp_path, one_tensor(0, (2**40,), (0,)), "a tensor ")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(checkpoint(state_of(), {}, magic=1), id="magic number"),
        pytest.param(checkpoint(state_of(), {}, protocol=1), id="protocol"),
        pytest.param(checkpoint([1, 2], {}), id="a list"),
        pytest.param(checkpoint({"a": 1}, {}), id="a dictionary"),
        pytest.param(checkpoint(state_of(a=1), {}), id="numbers"),  # type: ignore[arg-type]
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(100), id="zip"),
        pytest.param(b"\x89HDF\r\n\x1a\n" + bytes(100), id="HDF5"),
        pytest.param(b"Dear diary\n", id="text"),
        pytest.param(b"\x80\x02]q\x00(" + b"]" * 10 + b".", id="odd pickle"),
        pytest.param(b"\x80\x02.", id="empty pickle"),
        pytest.param(b"\x80\x02\x8a\xff.", id="cut number"),
        pytest.param(b"\x80\x02h\x05.", id="absent memo"),
        pytest.param(b"\x80\x02X\xff\xff\xff\x7f.", id="huge string"),
        pytest.param(b"\x80\x02}(]q\x00K\x01u.", id="unhashable key"),
        pytest.param(b"\x80\x02K\x01}b.", id="state of a number"),
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content, "not a checkpoint that imgcls reads: .")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x80\x02K\x01r\x00\x00\x00\x38.", id="memo"),
        pytest.param(b"\x80\x04K\x01\x8e" + struct.pack("<Q", 7 * 2**30) + b".", id="bytes"),
        pytest.param(b"\x80\x02K\x01\x8b" + struct.pack("<i", 2**31 - 1) + b".", id="number"),
        pytest.param(
            checkpoint(
                state_of(a=Tensor(Storage("a", "FloatStorage", 1), 0, (1,), (1,))), {}
            ).replace(b"\x80\x02]q\x00.", pickled(["a"]))
            + struct.pack("<q", 7 * 2**28),
            id="storage",
        ),
    ],
)
def test_what_asks_for_gigabytes_is_refused_before_it_is_given_them(
    tmp_path: Path, content: bytes
) -> None:
    tracemalloc.start()
    refused(tmp_path, content, "not a checkpoint that imgcls reads: .")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, number: float) -> None:
    tensor = Tensor(Storage("a", "FloatStorage", 2), 0, (2,), (1,))
    content = checkpoint(state_of(weight=tensor), {"a": np.array([1, number], "<f4")})
    refused(tmp_path, content, "numbers that are not finite$")


def test_bits_flipped_anywhere_are_refused_or_read(tmp_path: Path) -> None:
    content = np.frombuffer(one_tensor(0, (2, 3), (3, 1)), np.uint8)
    random = np.random.default_rng(0)
    for _ in range(500):
        damaged = content.copy()
        damaged[random.integers(0, content.size)] = random.integers(0, 256)
        try:
            tensors = read(tmp_path, damaged.tobytes())
        except WeightsError as error:
            assert "\n" not in str(error)
        else:
            assert all(isinstance(tensor, np.ndarray) for tensor in tensors.values())


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"absent.pth: cannot be read: No such file"):
        read_checkpoint(tmp_path / "absent.pth")

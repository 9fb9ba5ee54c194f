"""HDF5 files of unknown origin: each is read, or refused with its reason."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from imgcls.core.errors import WeightsError
from imgcls.core.models.hdf5_file import (
    check_tensors,
    child,
    is_hdf5,
    names,
    open_hdf5,
    tensor_shapes,
)
from imgcls.core.models.keras_weights import look_at

Make = Callable[[h5py.File], object]


def write(path: Path, make: Make) -> Path:
    with h5py.File(path, "w") as file:
        make(file)
    return path


def _fan(file: h5py.File) -> None:
    group: h5py.Group = file
    for _ in range(50):  # 2^50 paths
        inner = group.create_group("a")
        group["b"] = inner
        group = inner


def _cycle(file: h5py.File) -> None:
    group = file.create_group("a")
    group["b"] = group


def _deep(file: h5py.File) -> None:
    group: h5py.Group = file
    for _ in range(100):
        group = group.create_group("a")


def _many(file: h5py.File) -> None:
    for number in range(10_001):
        file.create_group(str(number))


def _named_type(file: h5py.File) -> None:
    file["t"] = np.dtype("f4")


def _deep_type(file: h5py.File) -> None:
    kind = h5py.h5t.NATIVE_FLOAT
    for _ in range(700):
        kind = h5py.h5t.vlen_create(h5py.h5t.array_create(kind, (1,)))
    h5py.h5d.create(file.id, b"x", kind, h5py.h5s.create_simple((3,)))


def _packed(file: h5py.File, shape: int, piece: int) -> None:
    file.create_dataset("x", (shape,), "f4", chunks=(piece,), compression=1)


HOSTILE: dict[str, tuple[Make, str]] = {
    "fan": (_fan, "is there twice, by two hard links"),
    "cycle": (_cycle, "/a/b is there twice, by two hard links"),
    "root in itself": (lambda f: f.__setitem__("a", f), "/a is there twice"),
    "deep": (_deep, "its groups are nested more than 64 deep"),
    "many": (_many, "holds more than 10000 objects"),
    "named type": (_named_type, "t is neither a group nor a tensor"),
    "deep type": (_deep_type, "x is no tensor of numbers"),
    "compound": (lambda f: f.create_dataset("x", (3,), "f4,i4"), "x is no tensor of numbers"),
    "nothing": (lambda f: f.create_dataset("x", data=h5py.Empty("f4")), "x is no tensor"),
    "huge": (lambda f: f.create_dataset("x", (2**40,), "f4"), "far larger than the file"),
    "bomb": (lambda f: _packed(f, 2**24, 2**20), "far larger than the file"),
    "pieces": (lambda f: _packed(f, 2**40, 2**20), "holds more than 10000 objects"),
    "large pieces": (lambda f: _packed(f, 2**25, 2**25), "pieces of more than 64 MB"),
    "a long name": (lambda f: f.create_group("n" * 2000), "is too long for a name"),
    "NaN": (lambda f: f.__setitem__("a/b", [1, np.nan]), "a/b holds numbers that are not finite"),
    "inf": (lambda f: f.__setitem__("b", np.array([-np.inf], "f4")), "b holds numbers"),
    "float16": (lambda f: f.__setitem__("b", np.array([np.inf], "f2")), "b holds numbers"),
    "float64": (lambda f: f.__setitem__("b", np.array([1e300])), "b holds numbers"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_no_weights_file_holds_is_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    make, reason = HOSTILE[case]
    path = write(tmp_path / "a.h5", make)
    with pytest.raises(WeightsError) as caught:
        look_at(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and message.endswith("; it is not used")
    assert reason in message and len(message) < 500


def test_tensors_are_found_by_path(tmp_path: Path) -> None:
    def make(file: h5py.File) -> None:
        file["a/b"] = np.zeros((2, 3), np.float32)
        file["c"] = np.float32(1)
        file.create_dataset("d", data=np.ones((300, 70)), chunks=(100, 64), compression=4)
        file["empty"] = np.zeros((0, 4), np.float32)

    with open_hdf5(write(tmp_path / "a.h5", make)) as file:
        shapes = {"a/b": (2, 3), "c": (), "d": (300, 70), "empty": (0, 4)}
        assert tensor_shapes(file) == check_tensors(file) == shapes


def test_a_number_that_is_not_finite_is_found_in_a_large_tensor(tmp_path: Path) -> None:
    large = np.zeros((3, 5_000_000), np.float32)
    large[2, -1] = np.nan
    path = write(tmp_path / "a.h5", lambda file: file.__setitem__("x", large))
    with pytest.raises(WeightsError, match="x holds numbers that are not finite"):
        look_at(path)
    with open_hdf5(path) as file:
        assert tensor_shapes(file) == {"x": (3, 5_000_000)}  # they are not read for this


def test_names_come_from_one_attribute_or_several(tmp_path: Path) -> None:
    def make(file: h5py.File) -> None:
        file.attrs["one"] = [b"a", b"b"]
        file.attrs["fixed"] = np.array([b"a", b"b"])
        file.attrs["more0"], file.attrs["more1"] = [b"a"], ["b"]
        file.attrs["none"] = []
        file.attrs["numbers"] = [1, 2]
        file.attrs["elsewhere"] = ["a", "/b"]

    with open_hdf5(write(tmp_path / "a.h5", make)) as file:
        assert [names(file, key) for key in ("one", "fixed", "more")] == [["a", "b"]] * 3
        assert names(file, "none") == names(file, "absent") == []
    for key, reason in (("numbers", "is no list of names"), ("elsewhere", "names what lies else")):
        with (
            pytest.raises(WeightsError, match=f"attribute {key} {reason}"),
            open_hdf5(tmp_path / "a.h5") as file,
        ):
            names(file, key)


def test_a_link_out_of_the_file_is_no_child(tmp_path: Path) -> None:
    write(tmp_path / "b.h5", lambda file: file.create_group("g"))

    def make(file: h5py.File) -> None:
        file["out"] = h5py.ExternalLink(str(tmp_path / "b.h5"), "g")
        file.create_group("in")

    with open_hdf5(write(tmp_path / "a.h5", make)) as file:
        assert child(file, "out") is child(file, "absent") is None
        assert child(file, "in") is not None


def test_a_file_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"text")
    assert not is_hdf5(tmp_path / "a.h5") and not is_hdf5(tmp_path / "absent")
    assert is_hdf5(write(tmp_path / "b", lambda file: None))


def _small(file: h5py.File) -> None:
    file.attrs["layer_names"] = [b"a", b"b"]
    for layer in "ab":
        group = file.create_group(layer)
        group.attrs["weight_names"] = [f"{layer}/k".encode(), f"{layer}/b".encode()]
        group[f"{layer}/k"] = np.ones((3, 4), np.float32)
        group.create_dataset(f"{layer}/b", data=np.ones(4, "f4"), chunks=(2,), compression=1)


def test_flipped_bits_give_the_content_or_one_error(tmp_path: Path) -> None:
    """Tensors alone: of texts HDF5 itself may not come back, so a process of its own reads them."""
    content = write(tmp_path / "a.h5", _small).read_bytes()
    random_ = random.Random(0)
    refused = 0
    for _ in range(500):
        flipped = bytearray(content)
        for _ in range(random_.choice((1, 1, 3, 10))):
            flipped[random_.randrange(len(flipped))] ^= 1 << random_.randrange(8)
        (tmp_path / "b.h5").write_bytes(flipped)
        try:
            with open_hdf5(tmp_path / "b.h5") as file:
                check_tensors(file)
        except WeightsError as error:
            refused += 1
            assert "\n" not in str(error)
    assert 20 < refused < 500

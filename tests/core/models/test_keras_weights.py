"""A process of its own looks at weights files, so that none can hold up or crash a run."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from imgcls.core.errors import WeightsError
from imgcls.core.models.keras_weights import check_weights_file


def reason(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        check_weights_file(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_a_file_that_can_be_used_and_one_that_is_none(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = np.ones(3, np.float32)
    check_weights_file(tmp_path / "a.h5")
    (tmp_path / "b.h5").write_bytes(b"text")
    check_weights_file(tmp_path / "b.h5")  # left to what reads it
    with h5py.File(tmp_path / "a.h5", "w") as file:  # looked at anew, as it has changed
        file["a"] = np.full(4, np.nan, np.float32)
    assert reason(tmp_path / "a.h5") == "a holds numbers that are not finite; it is not used"


def test_names_that_all_refer_to_one_long_text(tmp_path: Path) -> None:
    path, length, count = tmp_path / "a.h5", 8 * 2**20, 3_000
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["x" * length] + ["a"] * count
    content = bytearray(path.read_bytes())
    start = content.index(struct.pack("<I", length))
    content[start : start + 16 * count] = content[start : start + 16] * count  # 24 GB
    path.write_bytes(content)
    began = time.monotonic()
    assert "memory" in reason(path)
    assert time.monotonic() - began < 20


def test_what_no_end_comes_of_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["a", "b"]
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    # An object of the heap that is said to take no room: HDF5 looks at it again and again.
    content[heap + 16 : heap + 32] = struct.pack("<HHIQ", 7, 1, 0, 2**64 - 16)
    path.write_bytes(content)
    assert "not used" in reason(path) or "damaged" in reason(path)


@pytest.mark.slow
def test_flipped_bits_in_names_and_tensors(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = [b"a", b"b"]
        for layer in "ab":
            file.create_group(layer).attrs["weight_names"] = [f"{layer}/k", f"{layer}/b"]
            file[f"{layer}/{layer}/k"] = np.ones((3, 4), np.float32)
    content, flips, refused = (tmp_path / "a.h5").read_bytes(), random.Random(0), 0
    for number in range(60):
        flipped = bytearray(content)
        for _ in range(10):
            flipped[flips.randrange(len(flipped))] ^= 1 << flips.randrange(8)
        path = tmp_path / f"{number}.h5"
        path.write_bytes(flipped)
        try:
            check_weights_file(path)
        except WeightsError:
            refused += 1
    assert 5 < refused < 60

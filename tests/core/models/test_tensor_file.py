"""A .safetensors file of ours: its bytes, and the reason why a changed one is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.errors import ModelError
from imgcls.core.models.tensor_file import open_tensor_file, write_tensor_file

FLOATS = np.array([[1, 2, 3]], np.float32)
NUMBERS = np.array([7, -8], np.int64)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    write_tensor_file(path, {"b": 1, "a": "ä"}, {"n": NUMBERS, "f": FLOATS})
    return path


def split(path: Path) -> tuple[dict[str, Any], bytes]:
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def join(path: Path, header: Any, rest: bytes) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + rest)


def reason(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_tensor_file(path)
    start, _, text = str(caught.value).partition(": ")
    assert start == str(path)
    return text.removeprefix("not a model file of imgcls, or damaged: ")


def test_what_is_written_is_read(path: Path) -> None:
    file = open_tensor_file(path)
    assert file.description == {"a": "ä", "b": 1}
    assert file.shapes == {"f": (1, 3), "n": (2,)} and file.dtypes == {"f": "F32", "n": "I64"}
    np.testing.assert_array_equal(file.read("f"), FLOATS)
    np.testing.assert_array_equal(file.read("n"), NUMBERS)


def test_the_form_is_that_of_safetensors(path: Path) -> None:
    header, rest = split(path)
    # Wider items first, so that each tensor is aligned.
    assert header["f"] == {"dtype": "F32", "shape": [1, 3], "data_offsets": [0, 12]}
    assert header["n"] == {"dtype": "I64", "shape": [2], "data_offsets": [12, 28]}
    assert rest == FLOATS.tobytes() + NUMBERS.tobytes()
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


def test_the_same_content_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    fortran = np.asfortranarray(np.vstack([FLOATS, FLOATS]))[:1]
    write_tensor_file(other, {"a": "ä", "b": 1}, {"f": fortran, "n": NUMBERS})
    assert other.read_bytes() == path.read_bytes()


def test_other_types_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a tensor is float64, neither float32 nor int64"):
        write_tensor_file(tmp_path / "m", {}, {"x": np.zeros(1)})
    assert not (tmp_path / "m").exists()


def test_numbers_that_are_not_finite_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "m"
    write_tensor_file(path, {}, {"x": np.array([1, np.nan], np.float32)})
    with pytest.raises(ModelError, match="damaged: x holds numbers that are not finite"):
        open_tensor_file(path).read("x")


def test_a_changed_byte_or_length_is_noticed(path: Path) -> None:
    header, rest = split(path)
    join(path, header, rest[:-1] + b"\x01")
    assert reason(path) == "its SHA-256 is not what it says; get the file again"
    join(path, header, rest + b"\0")
    assert reason(path) == "its length is not what its header says"
    header["__metadata__"]["imgcls"] = "{}"
    join(path, header, rest)
    assert reason(path) == "its SHA-256 is not what it says; get the file again"


def test_tensors_lie_one_behind_the_other(path: Path) -> None:
    header, rest = split(path)
    gap = {**header, "n": {**header["n"], "data_offsets": [16, 32]}}
    join(path, gap, rest + bytes(4))
    assert reason(path) == "its tensors overlap or leave gaps"
    overlap = {**header, "n": {**header["n"], "data_offsets": [8, 24]}}
    join(path, overlap, rest)
    assert reason(path) == "its tensors overlap or leave gaps"
    for change in ({"dtype": "F64"}, {"shape": [3]}, {"shape": [True, 2]}, {"more": 1}):
        join(path, {**header, "n": {**header["n"], **change}}, rest)
        assert reason(path) == "its entry of tensor 'n' makes no sense"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"", "it does not begin like one"),
        (b"[]", "its header is no object"),
        (b"{}", "it has no metadata"),
        (b'{"__metadata__": {"format": "pt"}}', "it was not written by imgcls"),
        (b'{"a": 1, "a": 2}', "a key stands in it twice"),
        (b'{"a": NaN}', "NaN stands in it"),
        (b'{"a": [' + b"1," * 500_001 + b"1]}", "its header has over 500000 parts"),
    ],
)
def test_other_headers(tmp_path: Path, header: bytes, message: str) -> None:
    path = tmp_path / "m"
    join(path, header, b"")
    assert reason(path) == message


def test_a_file_that_is_cut_off_or_not_there(path: Path, tmp_path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])
    assert reason(path) == "it is cut off"
    assert reason(tmp_path / "none") == "cannot be read: No such file or directory"

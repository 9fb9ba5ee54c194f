from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.errors import ModelError, WeightsError
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.head import Head
from imgcls.core.models.model_file import (
    ModelFile,
    read_model_file,
    stored_tensors,
    write_model_file,
)
from imgcls.core.models.table import MODELS
from imgcls.core.models.tensor_file import open_tensor_file, write_tensor_file
from imgcls.core.models.variant import AS_IT_IS, Variant

KERNEL = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
BIAS = np.array([0.5, -0.5], np.float32)
FILE = ModelFile(
    backbone="efficientnet-lite0",
    backbone_weights="own",
    weights_sha256="0" * 64,
    head=Head(((KERNEL, BIAS),)),
    labels=("cat", "dög"),
    preprocessing=MODELS["efficientnet-lite0"].preprocessing,
    training={"images": 7},
    metrics={"val_accuracy": 0.5},
    versions={"imgcls": "0"},
)
TENSORS = {"head.0.kernel": KERNEL, "head.0.bias": BIAS}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def description(path: Path) -> dict[str, Any]:
    write_model_file(path, FILE)
    return open_tensor_file(path).description


def header(path: Path) -> tuple[dict[str, Any], bytes]:
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def write_raw(path: Path, text: bytes, rest: bytes) -> None:
    path.write_bytes(len(text).to_bytes(8, "little") + text + rest)


def test_what_is_written_is_read(path: Path) -> None:
    write_model_file(path, FILE)
    read = read_model_file(path)
    assert replace(read, head=FILE.head) == FILE
    np.testing.assert_array_equal(read.head.layers[0][0], KERNEL)
    np.testing.assert_array_equal(read.head.layers[0][1], BIAS)
    assert [(c.class_id, c.label) for c in read.class_labels] == [("cat", "cat"), ("dög", "dög")]
    assert path.stat().st_size < 2000


def test_another_size_and_other_features_are_the_row_s_no_longer(path: Path) -> None:
    varied = replace(FILE, preprocessing=FILE.preprocessing.for_size(96), features="flatten")
    write_model_file(path, varied)
    read = read_model_file(path)
    assert (read.preprocessing.size, read.preprocessing.resize_to) == (96, 110)
    assert read.variant == Variant(96, "flatten")
    assert read.spec.preprocessing.size == 96
    assert read.spec.flat_features and read.spec.ends_in_features
    assert FILE.variant == AS_IT_IS
    assert FILE.spec is MODELS["efficientnet-lite0"]


def test_familiarity_is_written_and_read(path: Path) -> None:
    directions = np.eye(3, dtype=np.float32)[:2, np.newaxis]  # one of each class
    known = Familiarity(directions, np.array([0.25, 0.5], np.float32))
    write_model_file(path, replace(FILE, familiarity=known))
    read = read_model_file(path).familiarity
    assert read is not None
    np.testing.assert_array_equal(read.directions, directions)
    np.testing.assert_array_equal(read.closeness, [0.25, 0.5])
    write_model_file(path, FILE)
    assert read_model_file(path).familiarity is None


@pytest.mark.parametrize("counts", [[1], [0, 2], [2, 2], [4, 2], ["1", 2], {}, 7, [1, True]])
def test_a_familiarity_that_does_not_fit_is_refused(path: Path, counts: Any) -> None:
    tensors = TENSORS | {
        "familiarity.directions": np.eye(3, dtype=np.float32)[:2, np.newaxis],
        "familiarity.closeness": np.array([0.25, 0.5], np.float32),
    }
    write_tensor_file(path, description(path) | {"familiarity": counts}, tensors)
    with pytest.raises(ModelError, match="not a model file that imgcls reads"):
        read_model_file(path)


def test_a_familiarity_out_of_order_is_refused(path: Path) -> None:
    known = Familiarity(np.eye(3, dtype=np.float32)[:2, np.newaxis], np.array([1, 0], np.float32))
    write_model_file(path, replace(FILE, familiarity=known))
    with pytest.raises(ModelError, match="familiarity is not one that imgcls writes"):
        read_model_file(path)


def test_safetensors_reads_it(path: Path) -> None:
    from safetensors.numpy import load_file

    write_model_file(path, FILE)
    np.testing.assert_array_equal(load_file(path)["head.0.kernel"], KERNEL)


def test_stored_backbone(path: Path) -> None:
    tensor = np.arange(4, dtype=np.float32).reshape(2, 2)
    stored = replace(FILE, backbone_weights="stored")
    write_model_file(path, stored, {"backbone.000.0": tensor})
    assert read_model_file(path).network(path).weights == path
    found = stored_tensors(path, {"backbone.000.0": (2, 2)})
    np.testing.assert_array_equal(found["backbone.000.0"], tensor)
    with pytest.raises(WeightsError, match=r"backbone\.000\.0 is \(2, 2\), not \(4,\)"):
        stored_tensors(path, {"backbone.000.0": (4,)})
    with pytest.raises(WeightsError, match=r"backbone\.001\.0 is missing"):
        stored_tensors(path, {"backbone.000.0": (2, 2), "backbone.001.0": (1,)})


def test_shapes_are_kept(path: Path) -> None:
    arrays = {
        "none": np.array(7, np.int64),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "empty": np.zeros((0, 3), np.float32),
    }
    write_tensor_file(path, {}, arrays)
    opened = open_tensor_file(path)
    for name, array in arrays.items():
        read = opened.read(name)
        assert read.shape == opened.shapes[name] == array.shape
        assert read.dtype == array.dtype
        np.testing.assert_array_equal(read, array)


def test_same_content_same_bytes(path: Path, tmp_path: Path) -> None:
    description = {"b": [1.5, "ö"], "a": {"y": 1, "x": None}}
    arrays = {"b": KERNEL, "n": np.array([1], np.int64), "a": BIAS}
    write_tensor_file(path, description, arrays)
    again = tmp_path / "again.safetensors"
    turned = dict(reversed(description.items())), dict(reversed(arrays.items()))
    write_tensor_file(again, *turned)
    assert path.read_bytes() == again.read_bytes()
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


def test_other_types_are_not_written(path: Path) -> None:
    with pytest.raises(ValueError, match="float64"):
        write_tensor_file(path, {}, {"x": np.zeros(3)})
    assert not path.exists()


@pytest.mark.parametrize("part", ['"{}":0,', "[],", "{},", "0,"])
def test_a_header_of_many_parts_is_not_parsed(path: Path, part: str) -> None:
    parts = "".join(part.replace("{}", str(i), 1) if ":" in part else part for i in range(600_000))
    text = f"{{{parts[:-1]}}}" if ":" in part else f'{{"x":[{parts[:-1]}]}}'
    write_raw(path, text.encode(), b"")
    tracemalloc.start()
    with pytest.raises(ModelError, match="over 500000 parts"):
        read_model_file(path)
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()


def test_other_own_weights(path: Path) -> None:
    with pytest.raises(WeightsError, match="other weights of efficientnet-lite0"):
        FILE.network(path)


@pytest.mark.parametrize("size", [0, 7, 8, 100, -1])
def test_cut_off(path: Path, size: int) -> None:
    write_model_file(path, FILE)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match="not a model file of imgcls, or damaged"):
        read_model_file(path)


def test_every_byte_counts(path: Path) -> None:
    write_model_file(path, FILE)
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(ModelError):
            read_model_file(path)


def test_appended_byte(path: Path) -> None:
    write_model_file(path, FILE)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="length"):
        read_model_file(path)


def test_huge_header_is_not_read(path: Path) -> None:
    path.write_bytes((2**40).to_bytes(8, "little") + b"{}")
    with pytest.raises(ModelError, match="does not begin like one"):
        read_model_file(path)


def test_duplicate_key(path: Path) -> None:
    write_model_file(path, FILE)
    said, rest = header(path)
    text = json.dumps(said)
    entry = json.dumps(said["head.0.bias"])
    write_raw(path, (text[:-1] + f', "head.0.bias": {entry}}}').encode(), rest)
    with pytest.raises(ModelError, match="a key stands in it twice"):
        read_model_file(path)


def test_nested_header(path: Path) -> None:
    write_raw(path, b"[" * 100_000, b"")
    with pytest.raises(ModelError, match="damaged"):
        read_model_file(path)


def entry_of(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda said: change(said["head.0.kernel"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (entry_of(lambda e: e.update(dtype="F64")), "makes no sense"),
        (entry_of(lambda e: e.update(shape=[2**40, 2**40])), "makes no sense"),
        (entry_of(lambda e: e.update(shape=[True, 6])), "makes no sense"),
        (entry_of(lambda e: e.update(data_offsets=[8, 4])), "makes no sense"),
        (entry_of(lambda e: e.update(data_offsets=[4, 28])), "overlap or leave gaps"),
        (lambda said: said.pop("head.0.bias"), "overlap or leave gaps|length"),
        (lambda said: said.update(__metadata__=3), "no metadata"),
        (lambda said: said["__metadata__"].pop("imgcls"), "not written by imgcls"),
        (lambda said: said["__metadata__"].update(sha256="0" * 64), "SHA-256"),
    ],
)  # fmt: skip
def test_table(path: Path, change: Callable[[dict[str, Any]], None], message: str) -> None:
    write_model_file(path, FILE)
    said, rest = header(path)
    change(said)
    write_raw(path, json.dumps(said).encode(), rest)
    with pytest.raises(ModelError, match=message):
        read_model_file(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format '99'"),
        ({"backbone": "../../etc/passwd"}, "no such network"),
        ({"backbone": ["x"]}, "no such network"),
        ({"backbone_weights": "http://x"}, "what weights"),
        ({"weights_sha256": "zz"}, "what weights"),
        ({"labels": ["cat"]}, "labels"),
        ({"labels": ["cat", "cat"]}, "twice"),
        ({"labels": ["cat", "d\x1bog"]}, "control characters"),
        ({"labels": ["cat", "x" * 300]}, "1 to 255"),
        ({"labels": ["a", "b", "c"]}, "does not end in its labels"),
        ({"head": [3, -2]}, "does not end in its labels"),
        ({"head": [4, 2]}, "no place in it"),
        ({"head": [3, 2, 2]}, "lacks tensor"),
        ({"preprocessing": {"size": 10**9}}, "missing"),
        ({"preprocessing": {"size": 96, "resize_to": 95, "scaling": "lite"}}, "not one of"),
        ({"preprocessing": {"size": 31, "resize_to": 31, "scaling": "lite"}}, "32×32 pixels or"),
        ({"preprocessing": {"size": 2048, "resize_to": 2048, "scaling": "lite"}}, "1 to 1024"),
        ({"features": 7}, "which features"),
        ({"features": "../x"}, "the name of a layer"),
        ({"preprocessing": {"size": 224, "resize_to": 256, "scaling": "x"}}, "not one of"),
        ({"training": 3}, "its training is no object"),
        ({"versions": []}, "its versions is no object"),
        ({"backbone": "simple-cnn"}, "what weights"),  # nobody has published any
        ({"weights_sha256": ["a"]}, "what weights"),
        ({"weights_sha256": ""}, "what weights"),
        ({"more": 1}, "no place for 'more'"),
        ({"network": []}, "describes a network, and names efficientnet-lite0"),
    ],
)
def test_description(path: Path, change: dict[str, Any], message: str) -> None:
    write_tensor_file(path, {**description(path), **change}, TENSORS)
    with pytest.raises(ModelError, match=message):
        read_model_file(path)


def test_missing_word(path: Path) -> None:
    said = description(path)
    del said["labels"]
    write_tensor_file(path, said, TENSORS)
    with pytest.raises(ModelError, match="it lacks 'labels'"):
        read_model_file(path)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"x": BIAS}, "no place in it"),
        ({"backbone.000.0": BIAS}, "no place in it"),  # its backbone is not stored
        ({"head.0.bias": BIAS.astype(np.int64)}, "no place in it"),
        ({"head.0.bias": np.array([np.nan, 0], np.float32)}, "not finite"),
    ],
)
def test_tensors(path: Path, tensors: dict[str, np.ndarray], message: str) -> None:
    write_tensor_file(path, description(path), {**TENSORS, **tensors})
    with pytest.raises(ModelError, match=message):
        read_model_file(path)


def test_no_such_file(path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        read_model_file(path)

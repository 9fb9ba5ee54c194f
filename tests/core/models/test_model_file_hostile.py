"""Model files from a stranger: signed, so that all that protects is what the reader checks."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgcls.core.errors import ModelError
from imgcls.core.models.described_layer import Layer
from imgcls.core.models.head import Head
from imgcls.core.models.model_file import ModelFile, read_model_file, write_model_file
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.models.table import MODELS
from imgcls.core.models.tensor_file import open_tensor_file, write_tensor_file
from imgcls.core.pixels.preprocessing import Preprocessing

DESCRIBED = NetworkDescription(
    (
        Layer("image", "input", (), {"height": 4, "width": 4, "channels": 3}),
        Layer("conv", "conv2d", ("image",), {"filters": 2, "kernel_size": (1, 1)}),
        Layer("both", "add", ("conv", "conv")),
        Layer("gap", "global_average_pooling2d", ("both",)),
    )
)
HEAD = Head(((np.ones((2, 2), np.float32), np.zeros(2, np.float32)),))
FILES = {
    "described": ModelFile(
        backbone="described",
        backbone_weights="stored",
        weights_sha256="",
        head=HEAD,
        labels=("cat", "dog"),
        preprocessing=Preprocessing(4, 4, "tf"),
        described=DESCRIBED,
    ),
    "named": ModelFile(
        backbone="mobilenet",
        backbone_weights="own",
        weights_sha256="0" * 64,
        head=HEAD,
        labels=("cat", "dog"),
        preprocessing=MODELS["mobilenet"].preprocessing,
        training={"options": {"epochs": 3}},
    ),
}
TENSORS = {
    name: np.zeros(shape, np.float32)
    for name, shape in {
        **DESCRIBED.tensors,
        "head.0.kernel": (2, 2),
        "head.0.bias": (2,),
    }.items()
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-1, 0, 2**31, 2**63, 10**30, "", "image", "conv", "conv2d", "stored"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def tensors_of(name: str) -> dict[str, np.ndarray]:
    return {k: t for k, t in TENSORS.items() if name == "described" or k.startswith("head")}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "model.safetensors"


@pytest.fixture(scope="module")
def described(path: Path) -> dict[str, dict[str, Any]]:
    """What the two files say, by name."""
    said = {}
    for name, file in FILES.items():
        backbone = {k: TENSORS[k] for k in DESCRIBED.tensors} if file.described else None
        write_model_file(path, file, backbone)
        read_model_file(path)
        said[name] = open_tensor_file(path).description
    return said


def places(said: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to each value in a JSON document."""
    keys = (
        list(said) if isinstance(said, dict) else range(len(said)) if isinstance(said, list) else ()
    )
    return [here, *(place for key in keys for place in places(said[key], (*here, key)))]


def changed(said: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copied = copy.copy(said)
    copied[place[0]] = changed(said[place[0]], place[1:], value)
    return copied


def read_or_refuse(path: Path) -> None:
    try:
        read_model_file(path)
    except ModelError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 500


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@settings(max_examples=100)
def test_any_value_anywhere(
    path: Path, described: dict[str, dict[str, Any]], name: str, data: st.DataObject
) -> None:
    said = described[name]
    place = data.draw(st.sampled_from(places(said)[1:]))
    write_tensor_file(path, changed(said, place, data.draw(JSON)), tensors_of(name))
    read_or_refuse(path)


@given(content=st.binary(max_size=200))
def test_any_bytes(path: Path, content: bytes) -> None:
    for start in (b"", len(content).to_bytes(8, "little")):
        path.write_bytes(start + content)
        with pytest.raises(ModelError):
            read_model_file(path)


@given(table=st.dictionaries(st.text(max_size=9), JSON, max_size=4), rest=st.binary(max_size=9))
def test_any_table(path: Path, table: dict[str, Any], rest: bytes) -> None:
    text = json.dumps({**table, "__metadata__": {"imgcls": "{}", "sha256": ""}}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + rest)
    with pytest.raises(ModelError):
        read_model_file(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": None}, "a network is a list"),
        ({"network": [{}]}, "a network has 2 to|a layer is an object"),
        ({"backbone_weights": "own"}, "what weights"),
        ({"head": []}, "no place in it"),
        ({"head": [3, 2]}, r"does not stand on the \(2,\)"),
        ({"head": [2, 10**18, 2]}, "no place in it"),
        ({"preprocessing": {"size": 8, "resize_to": 8, "scaling": "tf"}}, "not one of described's"),
        ({"preprocessing": {"size": 4.0, "resize_to": 8, "scaling": "tf"}}, "not one of"),
        ({"preprocessing": {"size": 4, "resize_to": 8, "scaling": ["tf"]}}, "not one of"),
        ({"training": [["a", 1]]}, "its training is no object"),
        ({"metrics": "ab"}, "its metrics is no object"),
    ],
)  # fmt: skip
def test_described(
    path: Path, described: dict[str, dict[str, Any]], change: dict[str, Any], message: str
) -> None:
    write_tensor_file(path, {**described["described"], **change}, TENSORS)
    with pytest.raises(ModelError, match=message):
        read_model_file(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network.conv.kernel": np.zeros((1, 1, 2, 3), np.float32)}, "no place in it"),
        ({"network.conv.kernel": np.zeros((1, 1, 3, 2), np.int64)}, "no place in it"),
        ({"network.more.kernel": np.zeros(1, np.float32)}, "no place in it"),
        ({"backbone.000.0": np.zeros(1, np.float32)}, "no place in it"),
        ({"network.conv.bias": None}, "lacks tensor network.conv.bias"),
    ],
)
def test_described_tensors(
    path: Path,
    described: dict[str, dict[str, Any]],
    change: dict[str, np.ndarray | None],
    message: str,
) -> None:
    tensors = {k: v for k, v in {**TENSORS, **change}.items() if v is not None}
    write_tensor_file(path, described["described"], tensors)
    with pytest.raises(ModelError, match=message):
        read_model_file(path)

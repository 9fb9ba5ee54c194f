from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models.described_layer import Layer
from tests.core.models.described_networks import CONV, IMAGE, assert_refused, conv, on_image


def test_arguments_are_completed() -> None:
    assert CONV.completed({"image"}).arguments == {
        "filters": 4,
        "kernel_size": (3, 3),
        "strides": (1, 1),
        "padding": "valid",
        "dilation_rate": (1, 1),
        "activation": "linear",
        "use_bias": True,
        "groups": 1,
    }


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((IMAGE, IMAGE), "two layers are called image"),
        ((CONV, IMAGE), "no layer 'image' comes before it"),
        ((IMAGE, Layer("a", "relu", ("a",))), "no layer 'a' comes before it"),
        ((IMAGE, Layer("a", "relu", ("b",)), Layer("b", "relu", ("a",))), "no layer 'b' comes"),
        ((IMAGE, Layer("b", "input", (), IMAGE.arguments)), "the first layer, and no other"),
        ((Layer("a", "relu"), IMAGE), "it has 0 inputs"),
        ((IMAGE, Layer("a", "relu", ("image", "image"))), "it has 2 inputs"),
        ((IMAGE, Layer("a", "add", ("image",))), "it has 1 inputs"),
        ((IMAGE, Layer("a", "add", ("image",) * 1000)), "it has 1000 inputs"),
        ((IMAGE, Layer("a\x1b[0m", "relu", ("image",))), r"'a\\x1b\[0m' is no name of a layer"),
        ((IMAGE, Layer("../a", "relu", ("image",))), "is no name of a layer"),
        ((IMAGE, Layer("_a", "relu", ("image",))), "is no name of a layer"),
        ((IMAGE, Layer("x" * 1000, "relu", ("image",))), "is no name of a layer"),
        ((IMAGE, Layer(["a"], "relu", ("image",))), "is no name of a layer"),  # type: ignore[arg-type]
        ((IMAGE, Layer("a", ["relu"], ("image",))), "is no kind of layer"),  # type: ignore[arg-type]
        ((IMAGE, Layer("a", "relu", (["image"],))), "comes before it"),  # type: ignore[arg-type]
        (on_image("lambda", function="print"), "'lambda' is no kind of layer"),
        (on_image("TFSMLayer", filepath="/etc"), "is no kind of layer"),
        (on_image("relu", call="x"), "it has no argument 'call'"),
        (on_image("conv2d", filters=4), "lacks its argument kernel_size"),
        (on_image("activation", activation="numpy.savetxt"), "activation must be one of"),
        (conv(filters=0), "filters must be a whole number from 1 to 65536"),
        (conv(filters=10**30), "filters must be a whole number"),
        (conv(filters=True), "filters must be a whole number"),
        (conv(filters=4.0), "filters must be a whole number"),
        (conv(kernel_size=3), "kernel_size must be a list of 2"),
        (conv(kernel_size=(3,)), "kernel_size must be a list of 2"),
        (conv(kernel_size=(10**9, 1)), "kernel_size must be a whole number from 1 to 1024"),
        (conv(strides=(10**9, 1)), "strides must be a whole number from 1 to 1024"),
        (conv(use_bias=1), "use_bias must be true or false"),
        (conv(padding=None), "padding must be one of valid, same"),
        (on_image("rescaling", scale=float("nan")), "scale must be a number"),
        (on_image("rescaling", scale=float("inf")), "scale must be a number"),
        (on_image("rescaling", scale=10**400), "scale must be a number"),
        (on_image("batch_normalization", epsilon=-1), "epsilon must be a number from 0 to 1"),
        (on_image("dense", units=2**20), "units must be"),
        (on_image("reshape", target_shape=(-1, 3)), "target_shape must be"),
        (on_image("zero_padding2d", padding=((10**9, 0), (0, 0))), "padding must be"),
        (on_image("prelu", shared_axes=(5,)), "shared_axes must be"),
        ((IMAGE, CONV, Layer("a", "relu", ("conv",)), CONV), "two layers are called conv"),
    ],
)
def test_what_is_no_layer_is_refused_by_name(layers: tuple[Layer, ...], message: str) -> None:
    assert_refused(layers, message)


def test_a_layer_is_written_without_defaults_and_read_again() -> None:
    written = CONV.completed({"image"}).to_json()
    assert written == {
        "name": "conv",
        "kind": "conv2d",
        "inputs": ["image"],
        "arguments": {"filters": 4, "kernel_size": (3, 3)},
    }
    assert Layer.from_json(written) == CONV


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (None, "a layer is an object of arguments, inputs, kind, name"),
        ({"name": "a", "kind": "relu", "inputs": []}, "a layer is an object"),
        ({"name": "a", "kind": "relu", "inputs": "ab", "arguments": {}}, "are a list"),
        ({"name": "a", "kind": "relu", "inputs": [], "arguments": []}, "an object"),
    ],
)
def test_json_that_is_no_layer_is_refused(said: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Layer.from_json(said)

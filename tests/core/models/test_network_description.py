from __future__ import annotations

import json
import time
from typing import Any

import pytest

from imgcls.core.models.network_description import Layer, NetworkDescription, free_name

IMAGE = Layer("image", "input", (), {"height": 8, "width": 6, "channels": 3})
CONV = Layer("conv", "conv2d", ("image",), {"filters": 4, "kernel_size": (3, 3)})
NORM = Layer("norm", "batch_normalization", ("conv",), {"epsilon": 0.001})
POOL = Layer("pool", "max_pooling2d", ("norm",), {"pool_size": (2, 2), "strides": (2, 2)})
FLAT = Layer("flat", "flatten", ("pool",))
DENSE = Layer("dense", "dense", ("flat",), {"units": 5, "activation": "relu"})
NETWORK = NetworkDescription((IMAGE, CONV, NORM, POOL, FLAT, DENSE))


def test_shapes_and_parameters() -> None:
    assert NETWORK.shapes == {
        "image": (8, 6, 3),
        "conv": (6, 4, 4),
        "norm": (6, 4, 4),
        "pool": (3, 2, 4),
        "flat": (24,),
        "dense": (5,),
    }
    assert NETWORK.tensors == {
        "network.conv.kernel": (3, 3, 3, 4),
        "network.conv.bias": (4,),
        "network.norm.gamma": (4,),
        "network.norm.beta": (4,),
        "network.norm.moving_mean": (4,),
        "network.norm.moving_variance": (4,),
        "network.dense.kernel": (24, 5),
        "network.dense.bias": (5,),
    }
    assert NETWORK.parameter_count == 108 + 4 + 16 + 120 + 5
    assert (NETWORK.input_shape, NETWORK.output_shape) == ((8, 6, 3), (5,))
    assert NETWORK.cam_layer == "norm"  # not the coarser map of the pooling behind it
    assert list(NETWORK.spatial_shapes) == ["conv", "norm", "pool"]
    assert NETWORK.classifier_input == "flat"


def test_what_is_written_is_read() -> None:
    text = json.dumps(NETWORK.to_json())
    assert NetworkDescription.from_json(json.loads(text)) == NETWORK
    assert NETWORK.to_json()[1] == {
        "name": "conv",
        "kind": "conv2d",
        "inputs": ["image"],
        "arguments": {"filters": 4, "kernel_size": (3, 3)},
    }


def test_arguments_are_completed() -> None:
    assert NETWORK.layers[1].arguments == {
        "filters": 4,
        "kernel_size": (3, 3),
        "strides": (1, 1),
        "padding": "valid",
        "dilation_rate": (1, 1),
        "activation": "linear",
        "use_bias": True,
        "groups": 1,
    }


def test_parts() -> None:
    assert [layer.name for layer in NETWORK.up_to("norm").layers] == ["image", "conv", "norm"]
    pooled = NETWORK.features("norm")
    assert (pooled.layers[-1].name, pooled.output_shape) == ("pooled_features", (4,))
    assert NETWORK.features("flat") == NETWORK.up_to("flat")
    assert free_name("head", ["head", "head_"]) == "head__"


@pytest.mark.parametrize(
    ("kind", "arguments", "shape"),
    [
        ("conv2d", {"filters": 2, "kernel_size": (3, 3), "strides": (2, 2)}, (3, 2, 2)),
        ("conv2d", {"filters": 2, "kernel_size": (3, 3), "dilation_rate": (2, 1)}, (4, 4, 2)),
        (
            "separable_conv2d",
            {"filters": 2, "kernel_size": (5, 5), "strides": (3, 3), "padding": "same"},
            (3, 2, 2),
        ),
        ("zero_padding2d", {"padding": ((1, 0), (2, 3))}, (9, 11, 3)),
        ("cropping2d", {"cropping": ((1, 0), (2, 3))}, (7, 1, 3)),
        ("permute", {"dims": (3, 1, 2)}, (3, 8, 6)),
        ("reshape", {"target_shape": (48, 3)}, (48, 3)),
        ("resizing", {"height": 2, "width": 1, "interpolation": "nearest"}, (2, 1, 3)),
    ],
)
def test_output_shapes(kind: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    layer = Layer("layer", kind, ("image",), arguments)
    assert NetworkDescription((IMAGE, layer)).output_shape == shape


def on_image(kind: str, **arguments: Any) -> tuple[Layer, ...]:
    return (IMAGE, Layer("layer", kind, ("image",), arguments))


def conv(**arguments: Any) -> tuple[Layer, ...]:
    return on_image("conv2d", **{"filters": 4, "kernel_size": (3, 3), **arguments})


def doubled(times: int) -> tuple[Layer, ...]:
    """Return a chain of which each layer has twice the places of the one before."""
    chain = [IMAGE]
    for position in range(times):
        arguments = {"size": (2, 2), "interpolation": "nearest"}
        chain.append(Layer(f"x{position}", "up_sampling2d", (chain[-1].name,), arguments))
    return tuple(chain)


def kept(count: int) -> tuple[Layer, ...]:
    """Return layers of 64 MB each that are all needed at the end."""
    size = {"height": 4096, "width": 4096, "channels": 3}
    small = {"height": 2048, "width": 2048, "interpolation": "nearest"}
    layers = [Layer("image", "input", (), size), Layer("small", "resizing", ("image",), small)]
    layers += [Layer(f"x{i}", "relu", ("small",)) for i in range(count)]
    return (*layers, Layer("sum", "add", tuple(f"x{i}" for i in range(count))))


FLATTENED = Layer("f", "flatten", ("image",))
LARGE_KERNEL = {"filters": 64, "kernel_size": (1024, 1024), "padding": "same"}
HOSTILE: list[tuple[tuple[Layer, ...], str]] = [
    ((), "2 to 4000 layers"),
    ((IMAGE,), "2 to 4000 layers"),
    ((IMAGE,) * 5000, "2 to 4000 layers"),
    ((IMAGE, IMAGE), "two layers are called image"),
    ((CONV, IMAGE), "no layer 'image' comes before it"),
    ((IMAGE, Layer("a", "relu", ("a",))), "no layer 'a' comes before it"),
    ((IMAGE, Layer("a", "relu", ("b",)), Layer("b", "relu", ("a",))), "no layer 'b' comes before"),
    ((IMAGE, Layer("b", "input", (), IMAGE.arguments)), "the first layer, and no other"),
    ((Layer("a", "relu"), IMAGE), "it has 0 inputs"),
    ((IMAGE, Layer("a", "relu", ("image", "image"))), "it has 2 inputs"),
    ((IMAGE, Layer("a", "add", ("image",))), "it has 1 inputs"),
    ((IMAGE, Layer("a", "add", ("image",) * 1000)), "it has 1000 inputs"),
    ((IMAGE, CONV, Layer("a", "relu", ("image",))), "layer conv: nothing comes of it"),
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
    (conv(kernel_size=(9, 1)), "its output is 0×6×4 numbers"),
    (conv(strides=(10**9, 1)), "strides must be a whole number from 1 to 1024"),
    (conv(strides=(2, 2), dilation_rate=(2, 2)), "both strides and dilation"),
    (conv(groups=2), "2 groups do not divide"),
    (conv(use_bias=1), "use_bias must be true or false"),
    (conv(padding=None), "padding must be one of valid, same"),
    (on_image("depthwise_conv2d", kernel_size=(2, 2), strides=(1, 2)), "strides differ"),
    (on_image("rescaling", scale=float("nan")), "scale must be a number"),
    (on_image("rescaling", scale=float("inf")), "scale must be a number"),
    (on_image("rescaling", scale=10**400), "scale must be a number"),
    (on_image("rescaling", offset=(1.0, 2.0)), "offset has 2 numbers for 3 channels"),
    (on_image("batch_normalization", epsilon=-1), "epsilon must be a number from 0 to 1"),
    (on_image("dense", units=2**20), "units must be"),
    (on_image("reshape", target_shape=(-1, 3)), "target_shape must be"),
    (on_image("reshape", target_shape=(7, 3)), "8×6×3 does not become 7×3"),
    (on_image("permute", dims=(1, 1, 2)), "is no order of its 3 axes"),
    (on_image("cropping2d", cropping=((4, 4), (0, 0))), "its output is 0×6×3 numbers"),
    (on_image("zero_padding2d", padding=((10**9, 0), (0, 0))), "padding must be"),
    (on_image("prelu", shared_axes=(5,)), "shared_axes must be"),
    (on_image("group_normalization", groups=2, epsilon=0.1), "2 groups do not divide its 3"),
    ((IMAGE, CONV, Layer("a", "add", ("image", "conv"))), "do not fit each other: 8×6×3 and 6×4×4"),
    ((*NETWORK.layers, Layer("a", "relu", ("dense",)), CONV), "two layers are called conv"),
    ((IMAGE, FLATTENED, Layer("c", "conv2d", ("f",), CONV.arguments)), "and is given 144"),
    ((*doubled(12),), r"its output is 16384×12288×3 numbers|its output is 8192×6144×3"),
    (kept(30), "too much memory"),
    (
        (
            Layer("image", "input", (), {"height": 512, "width": 512, "channels": 3}),
            Layer("a", "conv2d", ("image",), {"filters": 256, "kernel_size": (1, 1)}),
            Layer("b", "conv2d", ("a",), LARGE_KERNEL),
        ),
        "multiplications an image",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "message"), HOSTILE)
def test_hostile(layers: tuple[Layer, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        NetworkDescription(layers)
    assert len(str(raised.value)) < 300
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "a list of at most"),
        ([None, None], "a layer is an object of arguments, inputs, kind, name"),
        ([{"name": "a", "kind": "relu", "inputs": []}] * 2, "a layer is an object"),
        ([{"name": "a", "kind": "relu", "inputs": "ab", "arguments": {}}] * 2, "are a list"),
        ([{"name": "a", "kind": "relu", "inputs": [], "arguments": []}] * 2, "an object"),
        ([{}] * 10**6, "a list of at most 4000 layers"),
    ],
)
def test_hostile_json(said: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NetworkDescription.from_json(said)


def test_a_long_chain() -> None:
    chain = [IMAGE]
    for position in range(3000):
        chain.append(Layer(f"x{position}", "relu", (chain[-1].name,)))
    with pytest.raises(ValueError, match="over 850 layers come one after another"):
        NetworkDescription(tuple(chain))


@pytest.mark.parametrize("short_cut_first", [True, False])
def test_a_chain_with_short_cuts(short_cut_first: bool) -> None:
    """Of 1201 layers in a row, Keras goes through 301 where an addition names them last."""
    chain = [IMAGE]
    for position in range(300):
        before = chain[-1].name
        for name in "abc":
            chain.append(Layer(f"{name}{position}", "relu", (chain[-1].name,)))
        inputs = (before, chain[-1].name) if short_cut_first else (chain[-1].name, before)
        chain.append(Layer(f"add{position}", "add", inputs))
    if short_cut_first:
        assert len(NetworkDescription(tuple(chain)).layers) == 1201
        return
    with pytest.raises(ValueError, match="over 850 layers come one after another"):
        NetworkDescription(tuple(chain))


def test_many_large_layers() -> None:
    """Each is done with when the next is there, but gradients need them all."""
    size = {"height": 2048, "width": 2048, "channels": 3}
    chain = [Layer("image", "input", (), size)]
    for position in range(130):
        chain.append(Layer(f"x{position}", "relu", (chain[-1].name,)))
    with pytest.raises(ValueError, match="layer x127: up to here an image needs too much memory"):
        NetworkDescription(tuple(chain))


def test_checking_is_quick() -> None:
    layers = [IMAGE, *(Layer(f"x{i}", "relu", ("image",)) for i in range(3900))]
    for start in range(1, 3900, 60):
        names = tuple(layer.name for layer in layers[start : start + 60])
        layers.append(Layer(f"sum{start}", "add", (*names, *names)[:60]))
    sums = tuple(layer.name for layer in layers if layer.name.startswith("sum"))
    layers += [Layer("a", "add", sums[:33]), Layer("b", "add", (*sums[33:], "a"))]
    started = time.perf_counter()
    NetworkDescription(tuple(layers[:4000]))
    assert time.perf_counter() - started < 1


def test_only_the_input_has_places() -> None:
    flat = NetworkDescription((IMAGE, Layer("f", "flatten", ("image",))))
    assert flat.cam_layer == "image"


def test_another_size_keeps_the_layers() -> None:
    conv = Layer("conv", "conv2d", (IMAGE.name,), {"filters": 2, "kernel_size": (3, 3)})
    network = NetworkDescription((IMAGE, conv))
    other = network.for_size(20)
    assert (other.input_shape, other.output_shape) == ((20, 20, 3), (18, 18, 2))
    assert other.tensors == network.tensors
    with pytest.raises(ValueError, match="layer conv"):
        network.for_size(2)


def test_features_are_the_mean_or_all_places() -> None:
    conv = Layer("conv", "conv2d", (IMAGE.name,), {"filters": 2, "kernel_size": (3, 3)})
    pool = Layer("gap", "global_average_pooling2d", ("conv",), {"keepdims": True})
    network = NetworkDescription((IMAGE, conv, pool))
    assert network.last_map == "conv"  # that of one place is no map
    height, width, _ = network.shapes["conv"]
    assert network.features("conv").output_shape == (2,)
    assert network.features("conv", flat=True).output_shape == (height * width * 2,)

from __future__ import annotations

import json
from typing import Any

import pytest

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.network_description import NetworkDescription, free_name
from tests.core.models.described_networks import (
    CONV,
    FLAT_IMAGE,
    IMAGE,
    assert_refused,
    conv,
    on_image,
)

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


def test_a_part_leads_to_its_layer() -> None:
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
def test_the_shape_of_an_output_is_known_without_building_it(
    kind: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    layer = Layer("layer", kind, ("image",), arguments)
    assert NetworkDescription((IMAGE, layer)).output_shape == shape


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((), "2 to 4000 layers"),
        ((IMAGE,), "2 to 4000 layers"),
        ((IMAGE,) * 5000, "2 to 4000 layers"),
        ((IMAGE, CONV, Layer("a", "relu", ("image",))), "layer conv: nothing comes of it"),
        (conv(kernel_size=(9, 1)), "its output is 0×6×4 numbers"),
        (conv(strides=(2, 2), dilation_rate=(2, 2)), "both strides and dilation"),
        (conv(groups=2), "2 groups do not divide"),
        (on_image("depthwise_conv2d", kernel_size=(2, 2), strides=(1, 2)), "strides differ"),
        (on_image("rescaling", offset=(1.0, 2.0)), "offset has 2 numbers for 3 channels"),
        (on_image("reshape", target_shape=(7, 3)), "8×6×3 does not become 7×3"),
        (on_image("permute", dims=(1, 1, 2)), "is no order of its 3 axes"),
        (on_image("cropping2d", cropping=((4, 4), (0, 0))), "its output is 0×6×3 numbers"),
        (on_image("group_normalization", groups=2, epsilon=0.1), "2 groups do not divide its 3"),
        ((IMAGE, CONV, Layer("a", "add", ("image", "conv"))), "fit each other: 8×6×3 and 6×4×4"),
        ((IMAGE, FLAT_IMAGE, Layer("c", "conv2d", ("f",), CONV.arguments)), "and is given 144"),
    ],
)
def test_layers_that_are_no_network_are_refused(layers: tuple[Layer, ...], message: str) -> None:
    assert_refused(layers, message)


@pytest.mark.parametrize("said", [{}, [{}] * 10**6])
def test_json_that_is_no_list_of_layers_is_refused(said: Any) -> None:
    with pytest.raises(ValueError, match="a list of at most 4000 layers"):
        NetworkDescription.from_json(said)


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

"""Well-known networks by the names of their layers, and layers that scale the pixels."""

from __future__ import annotations

import pytest

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.keras_file.recognise import FAMILIES, find_family, scaling_inside
from imgcls.core.models.network_description import NetworkDescription


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (
            {"expanded_conv_depthwise", "dense_Dense1", "out_relu"},
            "MobileNetV2 of Teachable Machine",
        ),
        ({"expanded_conv_depthwise", "out_relu", "expanded_conv_project"}, "MobileNetV2"),
        ({"expanded_conv_depthwise", "expanded_conv_project"}, "MobileNetV3"),
        ({"conv1_conv", "conv5_block3_out", "post_relu"}, "ResNet V2"),
        ({"conv1_conv", "conv5_block3_out"}, "ResNet"),
        ({"stem_conv", "block1a_dwconv", "top_conv"}, "EfficientNet"),
        ({"stem_conv", "block1a_project_conv", "top_conv"}, "EfficientNetV2"),
    ],
)
def test_families_with_names_in_common(names: set[str], name: str) -> None:
    family = find_family(names)
    assert family is not None and family.name == name


def test_a_part_of_the_names_is_no_family() -> None:
    assert find_family({"block1_conv1", "conv1_conv"}) is None
    assert find_family(set()) is None


def test_each_family_can_be_found() -> None:
    for family in FAMILIES:
        assert find_family(set(family.layers)) is family


def test_what_scales_before_the_first_convolution() -> None:
    conv = {"filters": 2, "kernel_size": (1, 1)}
    network = NetworkDescription(
        (
            Layer("image", "input", (), {"height": 4, "width": 4, "channels": 3}),
            Layer("pad", "zero_padding2d", ("image",), {"padding": ((1, 1), (1, 1))}),
            Layer("unit", "rescaling", ("pad",), {"scale": 1 / 255}),
            Layer("grey", "conv2d", ("unit",), {**conv, "filters": 1}),
            Layer("norm", "normalization", ("grey",)),
            Layer("conv", "conv2d", ("norm",), conv),
            Layer("later", "rescaling", ("conv",), {"scale": 2.0}),
        )
    )
    assert scaling_inside(network) == ("unit", "norm")

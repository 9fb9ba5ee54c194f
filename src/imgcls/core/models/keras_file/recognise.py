"""Which well-known network a described one is made of, and what pixels it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.pixels.preprocessing import Interpolation, Resize, Scaling

# What stands before the first convolution without having to do with scaling.
_PASSED = ("input", "zero_padding2d", "resizing", "cropping2d")
_SCALING = ("rescaling", "normalization", "reverse_channels")


@dataclass(frozen=True)
class Family:
    """Networks of keras.applications that are scaled alike.

    Attributes:
        name: what people call it.
        layers: names of layers that all of them have, and no others.
        scaling: what they were trained on.
        resize: how their trainers make images square; Keras' own loaders squash them.
        interpolation: of that.
    """

    name: str
    layers: tuple[str, ...]
    scaling: Scaling
    resize: Resize = "squash"
    interpolation: Interpolation = "bilinear"


FAMILIES = (
    Family(
        "MobileNetV2 of Teachable Machine",
        ("expanded_conv_depthwise", "dense_Dense1"),
        "tf",
        "crop",
        "lanczos",
    ),
    Family("MobileNetV2", ("expanded_conv_depthwise", "out_relu"), "tf"),
    Family("MobileNet", ("conv_dw_1", "conv_pw_13"), "tf"),
    Family("MobileNetV3", ("expanded_conv_depthwise", "expanded_conv_project"), "tf"),
    Family("VGG", ("block1_conv1", "block5_conv3"), "caffe"),
    Family("ResNet V2", ("conv1_conv", "post_relu"), "tf"),
    Family("ResNet", ("conv1_conv", "conv5_block3_out"), "caffe"),
    Family("ResNet50 of Keras before 2.2.5", ("res2a_branch2a", "bn_conv1"), "caffe"),
    Family("InceptionResNetV2", ("conv_7b",), "tf"),
    Family("InceptionV3", ("mixed10",), "tf"),
    Family("Xception", ("block14_sepconv2",), "tf"),
    Family("DenseNet", ("conv1_conv", "pool4_conv"), "torch"),
    Family("NASNet", ("stem_conv1", "stem_bn1"), "tf"),
    Family("EfficientNet", ("stem_conv", "block1a_dwconv", "top_conv"), "none"),
    Family("EfficientNetV2", ("stem_conv", "block1a_project_conv", "top_conv"), "tf"),
)

# As people write pixels down, the likeliest first where nothing else is known.
SCALING_CHOICES: Mapping[Scaling, str] = {
    "unit": "pixels / 255",
    "tf": "pixels / 127.5 - 1",
    "none": "pixels as they are, 0 to 255",
    "torch": "pixels / 255, minus the ImageNet mean, over its deviation",
    "caffe": "BGR, minus the ImageNet mean",
}


def find_family(names: Set[str]) -> Family | None:
    """Return what a network is made of, by the names of its layers."""
    return next((family for family in FAMILIES if names >= set(family.layers)), None)


def scaling_inside(network: NetworkDescription) -> tuple[str, ...]:
    """Return the names of the layers that scale the pixels before the first one that learns."""
    found: list[str] = []
    for layer in network.layers:
        if layer.kind in _SCALING:
            found.append(layer.name)
        elif layer.kind not in _PASSED and layer.name != "grey":
            break
    return tuple(found)

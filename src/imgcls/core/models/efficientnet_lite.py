"""EfficientNet-Lite: the shape of the network, and its checkpoint as Keras weights.

EfficientNet (Tan and Le 2019, https://arxiv.org/abs/1905.11946) without squeeze-and-excitation
and with ReLU6, so that it runs fast on any processor
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite).
Nothing here knows Keras; `core.keras.architectures` builds the layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

STEM_CHANNELS = 32
HEAD_CHANNELS = 1280

# (repeats, kernel, stride, expansion, output channels) of each stage of Lite0
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class Block:
    """One inverted residual block.

    Attributes:
        name: prefix of its layers' names, as in Keras' EfficientNet: `block2a`.
        kernel: side of the depthwise kernel.
        stride: of the depthwise convolution.
        expansion: channels inside over channels in; 1 means no expanding convolution.
        channels_in: channels of its input.
        channels_out: channels of its output.
    """

    name: str
    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int

    @property
    def is_residual(self) -> bool:
        """Whether the input is added to the output."""
        return self.stride == 1 and self.channels_in == self.channels_out


def blocks(width: float, depth: float) -> Iterator[Block]:
    """Yield the blocks of the network scaled by `width` (channels) and `depth` (repeats)."""
    channels = STEM_CHANNELS
    for stage, (repeats, kernel, stride, expansion, out) in enumerate(_STAGES):
        if 0 < stage < len(_STAGES) - 1:
            repeats = math.ceil(repeats * depth)
        out = round_channels(out * width)
        for index in range(repeats):
            name = f"block{stage + 1}{chr(ord('a') + index)}"
            yield Block(name, kernel, stride if index == 0 else 1, expansion, channels, out)
            channels = out


def round_channels(channels: float) -> int:
    """Round to a multiple of 8, never down by more than a tenth."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def layer_weights(
    checkpoint: Mapping[str, np.ndarray], width: float, depth: float
) -> dict[str, list[np.ndarray]]:
    """Return the weights of each Keras layer, in the order of its variables.

    Args:
        checkpoint: the state dictionary of `efficientnet_lite_pytorch`.
        width: as for `blocks`.
        depth: as for `blocks`.

    Raises:
        KeyError: the checkpoint lacks a tensor.
    """

    def conv(name: str) -> list[np.ndarray]:
        return [checkpoint[f"{name}.weight"].transpose(2, 3, 1, 0)]  # (o, i, h, w) → (h, w, i, o)

    def depthwise(name: str) -> list[np.ndarray]:
        return [checkpoint[f"{name}.weight"].transpose(2, 3, 0, 1)]  # (c, 1, h, w) → (h, w, c, 1)

    def norm(name: str) -> list[np.ndarray]:
        parts = ("weight", "bias", "running_mean", "running_var")
        return [checkpoint[f"{name}.{part}"] for part in parts]

    layers = {"stem_conv": conv("_conv_stem"), "stem_bn": norm("_bn0")}
    for index, block in enumerate(blocks(width, depth)):
        source = f"_blocks.{index}"
        if block.expansion > 1:
            layers[f"{block.name}_expand_conv"] = conv(f"{source}._expand_conv")
            layers[f"{block.name}_expand_bn"] = norm(f"{source}._bn0")
        layers[f"{block.name}_dwconv"] = depthwise(f"{source}._depthwise_conv")
        layers[f"{block.name}_bn"] = norm(f"{source}._bn1")
        layers[f"{block.name}_project_conv"] = conv(f"{source}._project_conv")
        layers[f"{block.name}_project_bn"] = norm(f"{source}._bn2")
    layers["top_conv"] = conv("_conv_head")
    layers["top_bn"] = norm("_bn1")
    layers["predictions"] = [checkpoint["_fc.weight"].T, checkpoint["_fc.bias"]]
    return layers

"""EfficientNet-Lite's shape and checkpoint, against what the design writes down."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.errors import WeightsError
from imgcls.core.models.efficientnet_lite import Block, blocks, layer_weights, round_channels
from imgcls.core.models.table import MODELS
from imgcls.core.models.torch_checkpoint import read_checkpoint
from imgcls.core.models.weights import find_weights


def test_blocks_of_lite0() -> None:
    found = list(blocks(1.0, 1.0))
    assert len(found) == 16
    assert found[0] == Block("block1a", 3, 1, 1, 32, 16)
    assert found[1] == Block("block2a", 3, 2, 6, 16, 24)
    assert found[2] == Block("block2b", 3, 1, 6, 24, 24)
    assert found[-2] == Block("block6d", 5, 1, 6, 192, 192)
    assert found[-1] == Block("block7a", 3, 1, 6, 192, 320)
    assert [block.name for block in found if block.is_residual] == [
        *("block2b", "block3b", "block4b", "block4c", "block5b", "block5c"),
        *("block6b", "block6c", "block6d"),
    ]


def test_first_and_last_stage_are_not_repeated_more_often() -> None:
    names = [block.name[:-1] for block in blocks(1.1, 1.2)]
    counts = [names.count(f"block{stage}") for stage in range(1, 8)]
    assert counts == [1, 3, 3, 4, 4, 5, 1]  # 2, 2, 3, 3, 4 by 1.2, rounded up


def test_channels_of_lite2() -> None:
    widths = {block.name[:-1]: block.channels_out for block in blocks(1.1, 1.2)}
    assert list(widths.values()) == [16, 24, 48, 88, 120, 208, 352]


@pytest.mark.parametrize(
    ("channels", "rounded"),
    [(16, 16), (17.6, 16), (26.4, 24), (44, 48), (88, 88), (123.2, 120), (1, 8), (11, 16)],
)
def test_round_channels(channels: float, rounded: int) -> None:
    assert round_channels(channels) == rounded
    assert rounded >= 0.9 * channels


def own_checkpoint(name: str) -> dict[str, np.ndarray]:
    try:
        return read_checkpoint(find_weights(name, MODELS[name]))
    except WeightsError:
        pytest.skip(f"{name}'s package is not installed")


@pytest.mark.parametrize(
    ("name", "width", "depth"),
    [
        *(("efficientnet-lite0", 1.0, 1.0), ("efficientnet-lite1", 1.0, 1.1)),
        ("efficientnet-lite2", 1.1, 1.2),
    ],
)
def test_every_tensor_of_the_checkpoint_is_used_once(name: str, width: float, depth: float) -> None:
    checkpoint = own_checkpoint(name)
    layers = layer_weights(checkpoint, width, depth)
    used = sum(array.size for arrays in layers.values() for array in arrays)
    counters = sum(
        tensor.size for key, tensor in checkpoint.items() if key.endswith("num_batches_tracked")
    )
    assert used == MODELS[name].parameters
    assert used + counters == sum(tensor.size for tensor in checkpoint.values())


def test_layers_are_turned_for_keras() -> None:
    checkpoint = own_checkpoint("efficientnet-lite0")
    layers = layer_weights(checkpoint, 1.0, 1.0)
    (stem,) = layers["stem_conv"]
    assert stem.shape == (3, 3, 3, 32)
    assert stem[0, 1, 2, 3] == checkpoint["_conv_stem.weight"][3, 2, 0, 1]
    (depthwise,) = layers["block3a_dwconv"]
    assert depthwise.shape == (5, 5, 144, 1)
    assert depthwise[1, 2, 3, 0] == checkpoint["_blocks.3._depthwise_conv.weight"][3, 0, 1, 2]
    kernel, bias = layers["predictions"]
    assert (kernel.shape, bias.shape) == ((1280, 1000), (1000,))
    assert kernel[5, 7] == checkpoint["_fc.weight"][7, 5]


def test_checkpoint_that_lacks_a_tensor() -> None:
    checkpoint = dict(own_checkpoint("efficientnet-lite0"))
    del checkpoint["_blocks.3._bn1.running_var"]
    with pytest.raises(KeyError, match=r"_blocks\.3\._bn1\.running_var"):
        layer_weights(checkpoint, 1.0, 1.0)

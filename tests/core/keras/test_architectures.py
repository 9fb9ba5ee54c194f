"""Networks that keras.applications does not have: their graphs, and small ones by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.keras.architectures import build_efficientnet_lite, build_simple_cnn
from imgcls.core.keras.start import import_keras
from imgcls.core.models.efficientnet_lite import blocks


@pytest.fixture(scope="module")
def lite() -> Any:
    """Return a shallow one of small images and few channels, seven classes."""
    keras = import_keras()
    keras.utils.set_random_seed(0)
    return build_efficientnet_lite(0.5, 0.5, (64, 32, 3), classes=7)


def test_lite_gives_logits_of_its_classes(lite: Any) -> None:
    assert (lite.input_shape, lite.output_shape) == ((None, 64, 32, 3), (None, 7))
    assert lite.get_layer("predictions").activation.__name__ == "linear"
    assert lite.get_layer("top_activation").output.shape == (None, 2, 1, 1280)  # 32 times smaller
    pooled = lite.get_layer("avg_pool")
    assert pooled.input is lite.get_layer("top_activation").output


def test_lite_has_the_blocks_of_its_description(lite: Any) -> None:
    names = {layer.name for layer in lite.layers}
    for block in blocks(0.5, 0.5):
        depthwise = lite.get_layer(f"{block.name}_dwconv")
        assert depthwise.kernel_size == (block.kernel,) * 2
        assert depthwise.strides == (block.stride,) * 2
        assert depthwise.input.shape[-1] == block.channels_in * block.expansion
        assert lite.get_layer(f"{block.name}_project_bn").output.shape[-1] == block.channels_out
        assert (f"{block.name}_expand_conv" in names) is (block.expansion > 1)
        assert (f"{block.name}_add" in names) is block.is_residual
    assert {name for name in names if name.endswith("_add")} == {
        f"{block.name}_add" for block in blocks(0.5, 0.5) if block.is_residual
    }


def test_every_layer_of_lite_is_as_it_was_trained(lite: Any) -> None:
    for layer in lite.layers:
        kind = type(layer).__name__
        if kind == "BatchNormalization":
            assert layer.epsilon == 1e-3
        elif kind in ("Conv2D", "DepthwiseConv2D"):
            assert (layer.use_bias, layer.padding) == (False, "same")
        elif kind == "ReLU":
            assert layer.max_value == 6
        else:
            assert kind in ("InputLayer", "Add", "GlobalAveragePooling2D", "Dense")
    # No activation behind the projection of a block, which a residual is added to.
    assert not any(layer.name.endswith("project_activation") for layer in lite.layers)


def test_a_residual_block_adds_what_came_in(lite: Any) -> None:
    add = lite.get_layer("block4b_add")
    project, shortcut = add.input
    assert project is lite.get_layer("block4b_project_bn").output
    assert shortcut is lite.get_layer("block4a_project_bn").output


def test_simple_cnn_ends_in_places_and_channels() -> None:
    network = build_simple_cnn((16, 24, 3))
    assert network.output_shape == (None, 2, 3, 64)
    assert network.count_params() == (9 * 3 + 1) * 32 + (9 * 32 + 1) * 32 + (9 * 32 + 1) * 64
    assert [layer.output.shape[1:] for layer in network.layers] == [
        *((16, 24, 3), (16, 24, 32), (8, 12, 32), (8, 12, 32), (4, 6, 32)),
        *((4, 6, 64), (2, 3, 64)),
    ]


def test_simple_cnn_by_value() -> None:
    network = build_simple_cnn((8, 16, 3))
    for name in ("conv1", "conv2", "conv3"):
        kernel, bias = network.get_layer(name).get_weights()
        kernel[:] = 0
        # The middle of each window: the sum of what comes in, and a step for each channel.
        kernel[1, 1, :, :] = 1 / kernel.shape[2]
        network.get_layer(name).set_weights([kernel, np.arange(len(bias)) - 1.0])
    pixels = np.random.default_rng(0).uniform(0, 1, (1, 8, 16, 3)).astype(np.float32)
    x = pixels
    for channels in (32, 32, 64):
        x = np.maximum(x.mean(axis=-1, keepdims=True) + np.arange(channels) - 1, 0)  # ReLU
        x = x.reshape(1, x.shape[1] // 2, 2, x.shape[2] // 2, 2, channels).max(axis=(2, 4))
    found = network(pixels, training=False)
    np.testing.assert_allclose(found, x, rtol=1e-5)


def test_fresh_weights_of_simple_cnn_are_random_and_biases_zero() -> None:
    one, other = build_simple_cnn((8, 8, 3)), build_simple_cnn((8, 8, 3))
    kernels = [network.get_layer("conv1").get_weights()[0] for network in (one, other)]
    assert not np.array_equal(*kernels)
    # He's: uniform within √(6 / numbers that come in).
    assert 0.9 * (6 / 27) ** 0.5 < np.abs(kernels[0]).max() <= (6 / 27) ** 0.5
    assert not one.get_layer("conv1").get_weights()[1].any()

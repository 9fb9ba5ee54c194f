"""Layers that Keras does not have, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.keras.start import import_keras

IMAGE = np.arange(2 * 2 * 3 * 3, dtype=np.float32).reshape(2, 2, 3, 3)


@pytest.fixture
def own_layers() -> Any:
    import_keras()
    from imgcls.core.keras import own_layers

    return own_layers


def test_channels_are_reversed(own_layers: Any) -> None:
    layer = own_layers.ReverseChannels()
    np.testing.assert_array_equal(layer(IMAGE), IMAGE[..., ::-1])
    np.testing.assert_array_equal(layer(IMAGE[:, 0, 0]), IMAGE[:, 0, 0, ::-1])  # (n, c)
    assert layer.weights == []


def test_each_channel_has_a_number_of_its_own(own_layers: Any) -> None:
    layer = own_layers.ChannelScale()
    np.testing.assert_array_equal(layer(IMAGE), IMAGE)  # fresh ones change nothing
    (gamma,) = layer.weights
    assert (gamma.name, tuple(gamma.shape), gamma.trainable) == ("gamma", (3,), True)
    layer.set_weights([np.array([1, 0, -2], np.float32)])
    np.testing.assert_array_equal(layer(IMAGE), IMAGE * np.array([1, 0, -2], np.float32))


@pytest.mark.parametrize("name", ["ReverseChannels", "ChannelScale"])
def test_shapes_stay_open_in_a_model(own_layers: Any, name: str) -> None:
    keras = import_keras()
    image = keras.Input((None, None, 3))
    assert getattr(own_layers, name)()(image).shape == (None, None, None, 3)

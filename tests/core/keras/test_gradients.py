"""Gradients of a network so small that they are known by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.keras.gradients import Gradients
from imgcls.core.models.head import Head
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.table import MODELS

KERNEL = np.array([[1, 2, -1], [3, -4, 0]], np.float32)  # (channels, classes)
SPEC = MODELS["mobilenet"]._replace(cam_layer="doubled")
IMAGE = np.arange(4 * 4 * 3, dtype=np.float32).reshape(1, 4, 4, 3)


@pytest.fixture(scope="module")
def network() -> Any:
    """Return channels 0 and 1 doubled, their mean, and three linear classes."""
    import keras

    image = keras.Input((4, 4, 3))
    doubled = keras.layers.Conv2D(2, 1, use_bias=False, name="doubled")
    dense = keras.layers.Dense(3, use_bias=False, name="logits")
    pooled = keras.layers.GlobalAveragePooling2D(name="mean")(doubled(image))
    model = keras.Model(image, dense(pooled))
    doubled.set_weights([np.array([[2, 0], [0, 2], [0, 0]], np.float32).reshape(1, 1, 3, 2)])
    dense.set_weights([KERNEL])
    return model


def gradients(network: Any, spec: ModelSpec = SPEC, **options: Any) -> Gradients:
    return Gradients(network, spec, **options)


def test_activations_and_logits(network: Any) -> None:
    activations, logits = gradients(network).activations(IMAGE)
    np.testing.assert_allclose(activations, 2 * IMAGE[0, ..., :2])
    np.testing.assert_allclose(logits, 2 * IMAGE[0, ..., :2].mean(axis=(0, 1)) @ KERNEL)


def test_of_the_layer_they_are_the_kernel_over_the_places(network: Any) -> None:
    direction = np.array([1, -1, 0], np.float32)
    expected = np.broadcast_to(KERNEL @ direction / 16, (4, 4, 2))
    np.testing.assert_allclose(gradients(network).of_layer(IMAGE, direction), expected)


def test_of_the_input_they_go_through_the_layer(network: Any) -> None:
    direction = np.array([0, 1, 0], np.float32)
    expected = np.broadcast_to([2 * 2 / 16, -4 * 2 / 16, 0], (2, 4, 4, 3))
    both = np.concatenate([IMAGE, -IMAGE])
    np.testing.assert_allclose(gradients(network).of_input(both, direction), expected)


def test_without_a_channel_its_part_of_the_logits_is_gone(network: Any) -> None:
    activations, logits = gradients(network).activations(IMAGE)
    (ablated,) = gradients(network).ablated(IMAGE, activations)
    lost = activations.mean(axis=(0, 1))[:, np.newaxis] * KERNEL
    np.testing.assert_allclose(ablated, logits - lost, rtol=1e-5, atol=1e-4)


def test_a_head_of_ones_own_takes_the_place_of_the_last_layer(network: Any) -> None:
    kernel = np.array([[1], [0]], np.float32)
    head = Head(((kernel, np.array([5], np.float32)),))
    ours = gradients(network, head=head)
    np.testing.assert_allclose(
        ours.activations(IMAGE)[1], [2 * IMAGE[0, ..., 0].mean() + 5], rtol=1e-6
    )
    expected = np.broadcast_to(kernel[:, 0] / 16, (4, 4, 2))
    np.testing.assert_allclose(ours.of_layer(IMAGE, np.ones(1, np.float32)), expected)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("doubles", "doubles: no such layer; did you mean doubled?"),
        ("mean", "mean: has no height and width; did you mean doubled?"),
    ],
)
def test_a_layer_that_cannot_be_drawn(network: Any, layer: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        gradients(network, layer=layer)
    assert str(caught.value) == message


@pytest.mark.parametrize("layer", ["flat", "doubled"])
def test_a_network_without_a_layer_to_draw(layer: str) -> None:
    import keras

    image = keras.Input((4, 4, 1), name="image")
    logits = keras.layers.Dense(2, name="logits")(keras.layers.Flatten(name="flat")(image))
    what = "has no height and width" if layer == "flat" else "no such layer"
    with pytest.raises(UsageError) as caught:
        gradients(keras.Model(image, logits), SPEC._replace(cam_layer="image"), layer=layer)
    assert str(caught.value) == (
        f"{layer}: {what}; leave out `layer`, since no layer of this network has height and width"
    )

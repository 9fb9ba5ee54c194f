"""What layers answer, of a network small enough to work it out by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import UsageError
from imgcls.core.keras.layer_outputs import LayerOutputs
from imgcls.core.keras.start import import_keras

IMAGE = np.array([[[1, 2, 3], [-1, -2, -3]], [[0, 0, 1], [4, 0, 0]]], np.float32)
# Two channels: the sum of the three, and minus the first.
SUM = IMAGE.sum(axis=-1)
CONV: Float32Array = np.stack([SUM, -IMAGE[..., 0]], axis=-1)
ACTIVE = np.maximum(CONV, 0)
POOLED = ACTIVE.mean(axis=(0, 1))


@pytest.fixture(scope="module")
def network() -> Any:
    L = import_keras().layers
    x = image = import_keras().Input((2, 2, 3), name="image")
    x = conv = L.Conv2D(2, 1, use_bias=False, name="conv")(x)
    x = L.Dropout(0.5, name="dropout")(L.ReLU(name="act")(x))
    x = L.GlobalAveragePooling2D(name="pool")(x)
    model = import_keras().Model(image, L.Dense(1, name="logits")(x))
    kernel = np.array([[1, -1], [1, 0], [1, 0]], np.float32)
    model.get_layer("conv").set_weights([kernel.reshape(1, 1, 3, 2)])
    model.get_layer("logits").set_weights([np.array([[2], [4]]), np.array([1])])
    assert conv.shape == (None, 2, 2, 2)
    return model


def test_all_layers_with_height_and_width(network: Any) -> None:
    found = LayerOutputs(network).run(IMAGE)
    assert list(found) == ["conv", "act", "dropout"]
    np.testing.assert_array_equal(found["conv"], CONV)
    np.testing.assert_array_equal(found["act"], ACTIVE)
    np.testing.assert_array_equal(found["dropout"], ACTIVE)  # nothing is dropped
    assert {values.dtype for values in found.values()} == {np.dtype("float32")}


def test_layers_come_in_the_order_of_their_names(network: Any) -> None:
    outputs = LayerOutputs(network, ("logits", "conv", "pool"))
    assert outputs.names == ("logits", "conv", "pool")
    found = outputs.run(IMAGE)
    assert list(found) == ["logits", "conv", "pool"]
    np.testing.assert_allclose(found["pool"], POOLED)
    np.testing.assert_allclose(found["logits"], [2 * POOLED[0] + 4 * POOLED[1] + 1])
    np.testing.assert_array_equal(found["conv"], CONV)


@pytest.mark.parametrize(
    ("names", "first", "expected"),
    [
        ((), 1, ("conv",)),
        ((), 9, ("conv", "act", "dropout")),
        (("pool", "act"), 1, ("pool",)),
    ],
)
def test_only_the_first(
    network: Any, names: tuple[str, ...], first: int, expected: tuple[str, ...]
) -> None:
    outputs = LayerOutputs(network, names, first)
    assert outputs.names == expected
    assert tuple(outputs.run(IMAGE)) == expected  # also where it is one


def test_the_image_is_not_written_into(network: Any) -> None:
    image = IMAGE.copy()
    LayerOutputs(network, ("act",)).run(image)
    np.testing.assert_array_equal(image, IMAGE)


def test_many_threads(network: Any) -> None:
    outputs = LayerOutputs(network, ("conv",))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda factor: outputs.run(IMAGE * factor)["conv"], range(8)))
    for factor, values in enumerate(found):
        np.testing.assert_allclose(values, CONV * np.float32(factor))


@pytest.mark.parametrize(
    ("name", "near"), [("cov", "conv or "), ("zzz", "pool or "), ("image", "act or ")]
)
def test_no_such_layer(network: Any, name: str, near: str) -> None:
    with pytest.raises(UsageError) as raised:
        LayerOutputs(network, ("conv", name))
    assert str(raised.value).startswith(f"{name}: no such layer; did you mean {near}")
    assert str(raised.value).endswith("?")


def test_a_layer_that_gives_several_arrays() -> None:
    keras = import_keras()
    image = keras.Input((2, 2, 3))
    both = keras.Model(image, [image, keras.layers.Flatten()(image)], name="both")
    inner, flat = both(image)
    network = keras.Model(image, keras.layers.Add()([keras.layers.Flatten()(inner), flat]))
    with pytest.raises(UsageError, match=r"^both: gives more than one array; name another layer$"):
        LayerOutputs(network, ("both",))


def test_a_network_without_height_and_width() -> None:
    keras = import_keras()
    image = keras.Input((2, 2, 3))
    network = keras.Model(image, keras.layers.Flatten(name="flat")(image))
    np.testing.assert_array_equal(
        LayerOutputs(network, ("flat",)).run(IMAGE)["flat"], IMAGE.ravel()
    )
    with pytest.raises(UsageError) as raised:
        LayerOutputs(network)
    assert str(raised.value) == (
        "the network has no layer with height and width; name others with `layers`"
    )

"""The end of a network: its last activation, one sigmoid as two classes, the head cut off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.models.keras_file.ending import cut_head, end_in_logits
from imgcls.core.models.keras_file.flat_network import FlatNetwork


def start() -> FlatNetwork:
    """Return an image of 4 × 4 and its mean: three features."""
    flat = FlatNetwork()
    flat.add("image", "input", (), {"height": 4, "width": 4, "channels": 3})
    flat.output = flat.add("pool", "global_average_pooling2d", ("image",))
    return flat


def dense(flat: FlatNetwork, name: str, kernel: Any, bias: Any, activation: str = "linear") -> None:
    arrays = {"kernel": np.array(kernel, np.float32), "bias": np.array(bias, np.float32)}
    arguments = {"units": len(bias), "activation": activation}
    flat.output = flat.add(name, "dense", (flat.output,), arguments, arrays)


def norm(flat: FlatNetwork, name: str, **arrays: Any) -> None:
    parts = {key: np.array(value, np.float32) for key, value in arrays.items()}
    flat.output = flat.add(name, "batch_normalization", (flat.output,), {"epsilon": 0.0}, parts)


def activate(flat: FlatNetwork, activation: str) -> None:
    flat.output = flat.add("act", "activation", (flat.output,), {"activation": activation})


# z = x2 - x0 + 1
ONE = ([[-1], [0], [1]], [1])
TWO = ([[1, 0], [0, 1], [2, 0]], [1, -1])


@pytest.mark.parametrize(
    ("activation", "ending"), [("softmax", "softmax"), ("linear", "logits"), ("", "logits")]
)
def test_the_last_activation_is_taken_off(activation: str, ending: str) -> None:
    inside = start()
    dense(inside, "d", *TWO, activation or "linear")
    behind = start()
    dense(behind, "d", *TWO)
    if activation:
        activate(behind, activation)
    for flat in (inside, behind):
        assert end_in_logits(flat) == ending
        assert (flat.output, flat.layers[-1].name) == ("d", "d")
        assert flat.layers[-1].arguments["activation"] == "linear"


@pytest.mark.parametrize(("activation", "ending"), [("sigmoid", "sigmoid"), ("linear", "logit")])
def test_one_sigmoid_becomes_two_classes(activation: str, ending: str) -> None:
    flat = start()
    dense(flat, "d", *ONE, activation)
    assert end_in_logits(flat) == ending
    assert flat.shapes["d"] == (2,) and flat.layers[-1].arguments["units"] == 2
    np.testing.assert_array_equal(flat.arrays["d"]["kernel"], [[0.5, -0.5], [0, 0], [-0.5, 0.5]])
    np.testing.assert_array_equal(flat.arrays["d"]["bias"], [-0.5, 0.5])


def test_one_logit_of_another_layer_is_split_behind_it() -> None:
    flat = start()
    dense(flat, "d", *ONE)
    flat.output = flat.add("scaled", "rescaling", ("d",), {"scale": 2.0})
    assert end_in_logits(flat) == "logit"
    assert (flat.output, flat.shapes[flat.output]) == ("two_classes", (2,))
    np.testing.assert_array_equal(flat.arrays["two_classes"]["kernel"], [[-0.5, 0.5]])


def test_refused() -> None:
    flat = start()
    flat.layers.pop()
    flat.output = "image"
    with pytest.raises(ValueError, match="it gives 4×4×3 numbers, not one score a class"):
        end_in_logits(flat)
    for shape, activation, message in (
        (TWO, "sigmoid", "its 2 sigmoids are right or wrong each for itself"),
        (TWO, "relu", "it ends in relu, which gives no scores"),
        (ONE, "softmax", "it has one class, whose score is always 1"),
    ):
        flat = start()
        dense(flat, "d", *shape, activation)
        with pytest.raises(ValueError, match=message):
            end_in_logits(flat)


def test_the_head_is_dense_layers_with_relu_between() -> None:
    flat = start()
    dense(flat, "tanh", np.eye(3), [0, 0, 0], "tanh")
    dense(flat, "hidden", *TWO, "relu")
    dense(flat, "scores", [[1, 2], [3, 4]], [5, 6])
    head = cut_head(flat)
    assert head is not None and head.widths == (3, 2, 2)
    np.testing.assert_array_equal(head.layers[0][1], TWO[1])
    np.testing.assert_array_equal(head.layers[1][0], [[1, 2], [3, 4]])
    assert (flat.output, flat.layers[-1].name, set(flat.arrays)) == ("tanh", "tanh", {"tanh"})


def test_a_network_without_dense_layers_at_its_end_has_no_head() -> None:
    flat = start()
    assert cut_head(flat) is None
    assert flat.output == "pool"


def test_normalizations_become_part_of_the_dense_layers_beside_them() -> None:
    flat = start()
    # x -> 2 x - 4, 2 x, 2 x of the features: part of the layer behind it
    norm(
        flat, "before", gamma=[4] * 3, beta=[0] * 3, moving_mean=[2, 0, 0], moving_variance=[4] * 3
    )
    dense(flat, "hidden", [[1, 0], [0, 1], [0, 1]], [1, 1])
    # y -> 3 y - 3, 3 y + 5: part of the layer in front of it, and so is the ReLU
    norm(flat, "behind", gamma=[3, 3], beta=[0, 5], moving_mean=[1, 0], moving_variance=[1, 1])
    activate(flat, "relu")
    dense(flat, "scores", np.eye(2), [0, 0])
    head = cut_head(flat)
    assert head is not None and head.widths == (3, 2, 2)
    kernel, bias = head.layers[0]
    np.testing.assert_array_equal(kernel, [[6, 0], [0, 6], [0, 6]])
    np.testing.assert_array_equal(bias, [-12, 8])  # 3 (1 - 4) - 3 and 3 · 1 + 5
    assert flat.folded == ["BatchNormalization"] * 2
    assert [layer.name for layer in flat.layers] == ["image", "pool"]

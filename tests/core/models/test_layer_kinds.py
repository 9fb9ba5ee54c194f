"""Kinds of layers: parameters by hand, defaults, and what is said of wrong arguments."""

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models.layer_kinds import LAYER_KINDS

IMAGE = (8, 6, 4)


@pytest.mark.parametrize(
    ("kind", "arguments", "parameters"),
    [
        (
            "conv2d",
            {"filters": 6, "kernel_size": (3, 2), "groups": 2},
            {"kernel": (3, 2, 2, 6), "bias": (6,)},
        ),
        (
            "depthwise_conv2d",
            {"kernel_size": (3, 2), "depth_multiplier": 2},
            {"kernel": (3, 2, 4, 2), "bias": (8,)},
        ),
        (
            "separable_conv2d",
            {"filters": 6, "kernel_size": (3, 2), "depth_multiplier": 2, "use_bias": False},
            {"depthwise_kernel": (3, 2, 4, 2), "pointwise_kernel": (1, 1, 8, 6)},
        ),
        ("dense", {"units": 5}, {"kernel": (4, 5), "bias": (5,)}),
        ("dense", {"units": 5, "use_bias": False}, {"kernel": (4, 5)}),
        (
            "batch_normalization",
            {"epsilon": 0.1, "scale": False},
            {"beta": (4,), "moving_mean": (4,), "moving_variance": (4,)},
        ),
        ("layer_normalization", {"epsilon": 0.1, "center": False}, {"gamma": (4,)}),
        ("group_normalization", {"epsilon": 0.1, "groups": 2}, {"gamma": (4,), "beta": (4,)}),
        ("normalization", {}, {"mean": (4,), "variance": (4,)}),
        ("channel_scale", {}, {"gamma": (4,)}),
        ("prelu", {}, {"alpha": (8, 6, 4)}),
        ("prelu", {"shared_axes": (1, 2)}, {"alpha": (1, 1, 4)}),
        ("relu", {}, {}),
    ],
)
def test_parameters(kind: str, arguments: dict[str, Any], parameters: dict[str, Any]) -> None:
    row = LAYER_KINDS[kind]
    assert row.parameters(IMAGE, row.complete(arguments)) == parameters


def test_defaults_are_filled_in_and_lists_become_tuples() -> None:
    pool = LAYER_KINDS["max_pooling2d"].complete({"padding": "same", "pool_size": [2, 2]})
    assert list(pool.items()) == [
        ("pool_size", (2, 2)),
        ("strides", (1, 1)),
        ("padding", "same"),
    ]
    relu = LAYER_KINDS["relu"].complete({"max_value": 6})
    assert relu == {"max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0}


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("dense", {}, "it lacks its argument units"),
        ("dense", {"units": 2, "trainable": True}, "it has no argument 'trainable'"),
        ("dense", {"units": 0}, "its argument units must be a whole number from 1 to 65536"),
        ("input", {"height": 2, "width": 2, "channels": 1}, "channels must be a whole number"),
        ("resizing", {"height": 2, "width": 2, "interpolation": "area"}, "nearest, bilinear"),
        ("activation", {"activation": "lambda"}, "its argument activation must be one of linear"),
    ],
)
def test_wrong_arguments(kind: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        LAYER_KINDS[kind].complete(arguments)
    assert message in str(caught.value)


def test_a_long_name_of_an_argument_is_cut() -> None:
    with pytest.raises(ValueError) as caught:
        LAYER_KINDS["relu"].complete({"x" * 1000: 1})
    assert len(str(caught.value)) < 100


def test_how_many_inputs() -> None:
    assert LAYER_KINDS["input"].inputs == (0, 0)
    assert LAYER_KINDS["dense"].inputs == (1, 1)
    assert LAYER_KINDS["subtract"].inputs == (2, 2)
    assert LAYER_KINDS["add"].inputs[0] == 2

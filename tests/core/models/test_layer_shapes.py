"""Shapes of outputs worked out by hand, where the list of layers does not show them already."""

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models import layer_shapes as shapes
from imgcls.core.models.layer_shapes import Shape

IMAGE = (8, 6, 4)


def window(side: int, **other: Any) -> dict[str, Any]:
    return {"kernel_size": (side, side), "strides": (1, 1), "padding": "valid", **other}


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        (window(3), (6, 4)),
        (window(3, padding="same"), (8, 6)),
        (window(3, strides=(3, 2)), (2, 2)),
        (window(3, strides=(3, 4), padding="same"), (3, 2)),  # rounded up
        (window(2, dilation_rate=(4, 1)), (4, 5)),  # reaches over 5 rows and 2 columns
        (window(7), (2, 0)),  # a network then refuses the layer
    ],
)
def test_how_often_a_window_has_a_place(arguments: dict[str, Any], places: Shape) -> None:
    assert shapes.conv2d([IMAGE], {**arguments, "filters": 5}) == (*places, 5)
    assert shapes.pooling2d([IMAGE], arguments) == (*places, 4)


def test_channels_of_convolutions() -> None:
    assert shapes.depthwise_conv2d([IMAGE], window(1, depth_multiplier=3)) == (8, 6, 12)
    assert shapes.separable_conv2d([IMAGE], window(1, filters=5, depth_multiplier=3)) == (8, 6, 5)
    assert shapes.conv2d([IMAGE], window(1, filters=6, groups=2)) == (8, 6, 6)


def test_several_inputs() -> None:
    assert shapes.broadcast([IMAGE, (1, 1, 4), (8, 1, 1)], {}) == IMAGE
    assert shapes.concatenate([IMAGE, (8, 6, 2)], {"axis": -1}) == (8, 6, 6)
    assert shapes.concatenate([IMAGE, (3, 6, 4)], {"axis": 1}) == (11, 6, 4)
    assert shapes.concatenate([(2,), (3,), (4,)], {"axis": 1}) == (9,)


def test_other_shapes() -> None:
    assert shapes.global_pooling2d([IMAGE], {"keepdims": False}) == (4,)
    assert shapes.global_pooling2d([IMAGE], {"keepdims": True}) == (1, 1, 4)
    assert shapes.dense([IMAGE], {"units": 5}) == (8, 6, 5)
    assert shapes.up_sampling2d([IMAGE], {"size": (2, 3)}) == (16, 18, 4)
    assert shapes.flatten([IMAGE], {}) == (192,)
    assert shapes.rescaling([IMAGE], {"scale": (1, 1, 1, 1), "offset": 0}) == IMAGE


@pytest.mark.parametrize(
    ("function", "inputs", "arguments", "message"),
    [
        (shapes.pooling2d, [(5,)], window(1), "height, width and channels, and is given 5"),
        (shapes.conv2d, [IMAGE], window(1, filters=6, groups=4), "4 groups do not divide"),
        (shapes.conv2d, [IMAGE], window(1, filters=6, groups=3), "3 groups do not divide"),
        (
            shapes.pooling2d,
            [IMAGE],
            window(2, strides=(2, 2), dilation_rate=(2, 2)),
            "both strides and dilation",
        ),
        (
            shapes.depthwise_conv2d,
            [IMAGE],
            window(1, strides=(1, 2), depth_multiplier=1),
            "its strides differ",
        ),
        (shapes.group_normalization, [IMAGE], {"groups": 3}, "do not divide its 4 channels"),
        (shapes.rescaling, [IMAGE], {"scale": 1, "offset": (0, 0)}, "2 numbers for 4 channels"),
        (shapes.broadcast, [IMAGE, (4,)], {}, "different numbers of axes"),
        (shapes.broadcast, [IMAGE, (8, 3, 4)], {}, "fit each other: 8×6×4 and 8×3×4"),
        (shapes.concatenate, [IMAGE, (8, 3, 4)], {"axis": -1}, "do not fit each other"),
        (shapes.concatenate, [IMAGE, IMAGE], {"axis": 4}, "it has no axis 4"),
        (shapes.concatenate, [IMAGE, IMAGE], {"axis": 0}, "it has no axis 0"),
        (shapes.reshape, [IMAGE], {"target_shape": (7, 7)}, "8×6×4 does not become 7×7"),
        (shapes.permute, [IMAGE], {"dims": (1, 1, 2)}, "is no order of its 3 axes"),
        (shapes.prelu, [(5,)], {"shared_axes": (2,)}, "it has 1 axes"),
    ],
)
def test_what_does_not_go_together(
    function: Any, inputs: list[Shape], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function(inputs, arguments)

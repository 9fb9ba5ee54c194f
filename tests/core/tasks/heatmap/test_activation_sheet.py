"""Grids of channels, worked out by hand."""

from __future__ import annotations

import numpy as np

from imgcls.core.tasks.heatmap.activation_sheet import (
    COLORMAP,
    dead_channels,
    draw_sheet,
    layer_grid,
)
from imgcls.core.tasks.heatmap.activations import Activations
from imgcls.core.tasks.heatmap.colors import color_table

LOW, HIGH = color_table(COLORMAP)[[0, 255]]
# Two by two places, four channels: one that grows to the right, one of zeros, two others.
VALUES = np.zeros((2, 2, 4), np.float32)
VALUES[:, 1, 0] = 5
VALUES[1, :, 2] = -3
VALUES[..., 3] = 7


def test_each_channel_in_its_own_range() -> None:
    grid = layer_grid(VALUES, 40)
    assert grid.shape == (40, 40, 3)
    np.testing.assert_array_equal(grid[10, 2], LOW)  # the first, on the left
    np.testing.assert_array_equal(grid[10, 15], HIGH)
    np.testing.assert_array_equal(grid[24, 5], HIGH)  # the third, above: 0 is more than -3
    np.testing.assert_array_equal(grid[36, 5], LOW)


def test_dead_channels_are_counted_and_marked() -> None:
    assert dead_channels(VALUES) == 2
    grid = layer_grid(VALUES, 40)
    np.testing.assert_array_equal(grid[3, 30], (28, 28, 32))  # dark beside the cross
    assert (grid[:19, 21:] == (120, 120, 128)).all(axis=-1).sum() > 20


def test_only_the_first_channels_are_drawn() -> None:
    one = layer_grid(VALUES, 40, channels=1)
    np.testing.assert_array_equal(one[20, 5], LOW)
    np.testing.assert_array_equal(one[20, 35], HIGH)


def test_a_layer_without_height_and_width() -> None:
    grid = layer_grid(np.array([0, 1, 2], np.float32), 40)
    np.testing.assert_array_equal(grid[5, 5], LOW)
    np.testing.assert_array_equal(grid[30, 5], HIGH)
    np.testing.assert_array_equal(grid[30, 30], (255, 255, 255))  # no fourth value
    assert dead_channels(np.zeros(3, np.float32)) == 0


def test_a_sheet_has_a_grid_for_each_layer() -> None:
    image = np.full((8, 8, 3), 200, np.uint8)
    layers = {f"layer{index}": VALUES for index in range(3)}
    sheet = draw_sheet(Activations("a/cat.jpg", "m", None, image, layers))
    more = draw_sheet(Activations("a/cat.jpg", "m", None, image, layers | {"more": VALUES}))
    assert sheet.mode == "RGB" and sheet.width > 3 * 520  # in a row
    assert more.width == sheet.width and more.height == sheet.height + 520 + 40 + 20

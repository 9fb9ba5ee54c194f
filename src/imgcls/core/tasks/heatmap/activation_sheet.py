"""Draw the layers of a network as one sheet: a grid of channels for each layer."""

from __future__ import annotations

import math
import os

import numpy as np
from PIL import Image, ImageDraw

from imgcls.core.arrays import Float32Array
from imgcls.core.fonts import draw_line
from imgcls.core.pixels.preprocessing import Uint8Image
from imgcls.core.tasks.heatmap.activations import Activations
from imgcls.core.tasks.heatmap.colors import color_table
from imgcls.core.words import counted

DEFAULT_CHANNELS = 64
COLORMAP = "viridis"

_MARGIN = 28
_GAP = 20  # between grids
_LINE = 2  # between channels
_TITLE = 40  # above a grid, in pixels
_HEADER = 150  # with the image
# Side of a grid in pixels, where the sheet has at most so many.
_SIDES = ((12, 520), (48, 400), (10_000, 300))
_INK, _PALE = "#1f2430", "#5b6270"
_DEAD, _CROSS = (28, 28, 32), (120, 120, 128)
_PAPER = "white"


def draw_sheet(seen: Activations, channels: int = DEFAULT_CHANNELS) -> Image.Image:
    """Draw what the layers answered to one image.

    Each channel is scaled to its own range, dark is low and yellow is high. A channel that is
    the same everywhere ("dead" for this image) is a dark square with a cross.

    Args:
        seen: the answer; it has no error.
        channels: at most so many of each layer are drawn, the first.

    Returns:
        An RGB picture; the more layers, the larger.
    """
    count = max(1, len(seen.layers))
    side = next(side for most, side in _SIDES if count <= most)
    columns = min(count, max(2, math.ceil(math.sqrt(1.4 * count))))
    rows = math.ceil(count / columns)
    width = 2 * _MARGIN + columns * side + (columns - 1) * _GAP
    top = 2 * _MARGIN + _HEADER
    height = top + rows * (side + _TITLE) + (rows - 1) * _GAP + _MARGIN
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    _draw_header(sheet, draw, seen, channels)
    for position, (name, values) in enumerate(seen.layers.items()):
        row, column = divmod(position, columns)
        x = _MARGIN + column * (side + _GAP)
        y = top + row * (side + _TITLE + _GAP)
        _draw_title(draw, (x, y), side, _title(name, values, channels))
        sheet.paste(Image.fromarray(layer_grid(values, side, channels)), (x, y + _TITLE))
    return sheet


def layer_grid(values: Float32Array, side: int, channels: int = DEFAULT_CHANNELS) -> Uint8Image:
    """Draw one layer as a grid of its channels.

    Args:
        values: float32 (h, w, c), or (d,): then each value is a cell, scaled to their range.
        side: of the grid, in pixels.
        channels: at most so many are drawn, the first.

    Returns:
        uint8 (side, side, 3) RGB.
    """
    if values.ndim == 1:
        return _vector_grid(values, side)
    shown = values[..., :channels]
    along = math.ceil(math.sqrt(shown.shape[-1]))
    grid = np.full((side, side, 3), 255, np.uint8)
    edges = np.linspace(0, side + _LINE, along + 1).astype(int)
    for index in range(shown.shape[-1]):
        row, column = divmod(index, along)
        top, left = edges[row], edges[column]
        size = (edges[column + 1] - left - _LINE, edges[row + 1] - top - _LINE)
        tile = _channel(shown[..., index], size)
        grid[top : top + size[1], left : left + size[0]] = tile
    return grid


def dead_channels(values: Float32Array) -> int:
    """Count the channels of a layer (h, w, c) that are the same everywhere."""
    if values.ndim == 1:
        return 0
    return int((values.max(axis=(0, 1)) == values.min(axis=(0, 1))).sum())


def _channel(channel: Float32Array, size: tuple[int, int]) -> Uint8Image:
    """Draw one channel (h, w) in its own range."""
    low, high = float(channel.min()), float(channel.max())
    if not low < high:
        return _dead(size)
    scaled = np.rint((channel - low) / (high - low) * 255).astype(np.uint8)
    # Pixels are shown as they are; a map larger than its tile is averaged down.
    larger = channel.shape[0] > size[1]
    how = Image.Resampling.BOX if larger else Image.Resampling.NEAREST
    drawn: Uint8Image = color_table(COLORMAP)[np.asarray(Image.fromarray(scaled).resize(size, how))]
    return drawn


def _dead(size: tuple[int, int]) -> Uint8Image:
    tile = Image.new("RGB", size, _DEAD)
    draw = ImageDraw.Draw(tile)
    right, bottom = size[0] - 1, size[1] - 1
    draw.line((0, 0, right, bottom), _CROSS)
    draw.line((0, bottom, right, 0), _CROSS)
    return np.asarray(tile)


def _vector_grid(values: Float32Array, side: int) -> Uint8Image:
    along = math.ceil(math.sqrt(len(values)))
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low if low < high else 1)
    cells = np.full(along * along, 255, np.uint8)
    cells[: len(values)] = np.rint(scaled * 255)
    colors = color_table(COLORMAP)[cells]
    colors[len(values) :] = 255
    picture = Image.fromarray(colors.reshape(along, along, 3))
    return np.asarray(picture.resize((side, side), Image.Resampling.NEAREST))


def _title(name: str, values: Float32Array, channels: int) -> tuple[str, str]:
    shape = "×".join(map(str, values.shape))
    notes = [shape]
    if values.ndim == 3 and values.shape[-1] > channels:
        notes.append(f"first {channels} channels")
    if dead := dead_channels(values):
        notes.append(f"{dead} dead")
    return name, ", ".join(notes)


def _draw_title(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], side: int, title: tuple[str, str]
) -> None:
    name, notes = title
    draw_line(draw, name, at=at, ink=_INK, size=16, width=side)
    draw_line(draw, notes, at=(at[0], at[1] + 20), ink=_PALE, size=13, width=side)


def _draw_header(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, seen: Activations, channels: int
) -> None:
    x = _MARGIN
    if seen.image is not None:
        picture = Image.fromarray(seen.image)
        picture = picture.resize((_HEADER, _HEADER), Image.Resampling.LANCZOS)
        sheet.paste(picture, (x, _MARGIN))
        x += _HEADER + _GAP
    width = sheet.width - x - _MARGIN
    label = ""
    if seen.prediction is not None:
        label = f"{seen.prediction.label}  {seen.prediction.score:.2%}"
    name = os.path.basename(seen.path) or seen.path
    order = ", in the order of the network" if len(seen.layers) > 1 else ""
    lines = [
        (f"{name}   {label}", 28, _INK),
        (f"{seen.model}, {counted(len(seen.layers), 'layer')}{order}", 18, _PALE),
        (
            f"Each channel in its own range: dark is low, yellow high; up to {channels} a layer.",
            15,
            _PALE,
        ),
        ("A dark square with a cross: a channel that is the same everywhere.", 15, _PALE),
    ]
    y = _MARGIN
    for text, size, ink in lines:
        draw_line(draw, text, at=(x, y), ink=ink, size=size, width=width)
        y += round(size * 1.45)

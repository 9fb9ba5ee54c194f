"""Lay a small map over a picture, bilinearly."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from imgcls.core.arrays import Float32Array
from imgcls.core.pixels.preprocessing import Box

# Rows that are made at once, so that a large picture needs no more memory than its map.
_ROWS = 256


def upsample(cam: Float32Array, width: int, height: int, box: Box | None = None) -> Float32Array:
    """Lay a map (h, w) over a picture of height×width, bilinearly.

    Args:
        cam: the map; its values lie at the centres of equal rectangles.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        box: the part of the picture that the map covers; default: all of it.

    Returns:
        float32 (height, width); 0 outside the box.
    """
    if box is None and cam.shape == (height, width):
        return cam
    box = box or Box(0, 0, width, height)
    above, below, down, rows = _between(cam.shape[0], height, box.top, box.bottom)
    left, right, across, columns = _between(cam.shape[1], width, box.left, box.right)
    lines = cam[above] + (cam[below] - cam[above]) * down[:, np.newaxis]  # (rows seen, w)
    upsampled = np.zeros((height, width), np.float32)
    seen = upsampled[rows, columns]
    for top in range(0, len(lines), _ROWS):
        part = lines[top : top + _ROWS]
        start, end = part.take(left, axis=1), part.take(right, axis=1)
        seen[top : top + _ROWS] = start + (end - start) * across
    return upsampled


def _between(
    values: int, pixels: int, start: float, end: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Float32Array, slice]:
    """Return where the pixels of one side lie between evenly spaced values from start to end.

    Returns:
        For each pixel whose centre is inside: the value before it, the value after it, and how
        far it is on the way, 0 to 1; beyond the outermost values both are the outermost. Last,
        which pixels are inside.
    """
    inside = pixels_inside(start, end, pixels)
    centres = np.arange(inside.start, inside.stop) + 0.5
    at = np.clip((centres - start) / (end - start) * values - 0.5, 0, values - 1)
    before = np.floor(at).astype(np.intp)
    after = np.minimum(before + 1, values - 1)
    return before, after, (at - before).astype(np.float32), inside


def pixels_inside(start: float, end: float, pixels: int) -> slice:
    """Return which of a side's pixels have their centre between start and end."""
    return slice(max(0, math.ceil(start - 0.5)), min(pixels, math.ceil(end - 0.5)))

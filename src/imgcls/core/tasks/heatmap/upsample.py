"""Lay a small map over a picture."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.pixels.preprocessing import Box

# Weight of a value by its distance; distances are in steps from one value to the next.
Kernel = Callable[[Float32Array], Float32Array]


def bilinear(distances: Float32Array) -> Float32Array:
    """Weight two values a side, each the more the nearer it is."""
    weights: Float32Array = np.maximum(1 - np.abs(distances), 0)
    return weights


def bicubic(distances: Float32Array) -> Float32Array:
    """Weight four values a side by Keys' cubic (a = -1/2, 10.1109/TASSP.1981.1163711).

    Between two values it is smooth, where `bilinear` has a crease at each: on maps of 7×7 those
    look like diamonds.
    """
    x = np.abs(distances)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, np.float32(0)))


def upsample(
    cam: Float32Array, width: int, height: int, box: Box | None = None, kernel: Kernel = bicubic
) -> Float32Array:
    """Lay a map (h, w) over a picture of height×width.

    A map that is larger than the picture is averaged down.

    Args:
        cam: the map, 0 to 1; its values lie at the centres of equal rectangles.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        box: the part of the picture that the map covers; default: all of it.
        kernel: how it is interpolated.

    Returns:
        float32 (height, width), 0 to 1; 0 outside the box.
    """
    if box is None and cam.shape == (height, width):
        return cam
    box = box or Box(0, 0, width, height)
    rows, down = _weights(cam.shape[0], height, box.top, box.bottom, kernel)
    columns, across = _weights(cam.shape[1], width, box.left, box.right, kernel)
    upsampled = np.zeros((height, width), np.float32)
    seen = upsampled[rows, columns]
    np.matmul(down @ cam, across.T, out=seen)  # (rows, h) @ (h, w) @ (w, columns)
    np.clip(seen, 0, 1, out=seen)  # a cubic goes a little beyond the values between which it runs
    return upsampled


def _weights(
    values: int, pixels: int, start: float, end: float, kernel: Kernel
) -> tuple[slice, Float32Array]:
    """Return what each pixel of one side takes of values spread evenly from start to end.

    Returns:
        Which pixels have their centre inside, and the weights (pixels inside, values), which
        add up to 1 for each pixel.
    """
    inside = pixels_inside(start, end, pixels)
    step = (end - start) / values  # pixels from one value to the next
    at = (np.arange(inside.start, inside.stop) + 0.5 - start) / step - 0.5
    distances = (at[:, np.newaxis] - np.arange(values)) * min(1, step)
    weights = kernel(distances.astype(np.float32))
    return inside, weights / weights.sum(axis=1, keepdims=True)


def pixels_inside(start: float, end: float, pixels: int) -> slice:
    """Return which of a side's pixels have their centre between start and end."""
    return slice(max(0, math.ceil(start - 0.5)), min(pixels, math.ceil(end - 0.5)))

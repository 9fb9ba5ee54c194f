"""An image of any mode → RGB, in strips."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from imgcls.core.pixels.depth import Levels

_STRIP = 2**22  # pixels converted at once


def rgb_strips(
    image: Image.Image, levels: Levels | None, factor: int, *, grey: bool = False
) -> Iterator[Image.Image]:
    """Convert an image to RGB, transparency laid on white.

    Args:
        image: of any mode, loaded.
        levels: what is black and white, where it is grey of more than 8 bits.
        factor: by how much both sides are divided, each pixel the mean of a square.
        grey: whether an image that is grey may stay so.

    Yields:
        The result from the top, in strips that take little memory; small images as one.
    """
    modes = ("RGB", "L") if grey else ("RGB",)
    plain = levels is None and image.mode in modes and not image.has_transparency_data
    pixels = image.width * image.height
    if factor == 1 and (plain or pixels <= 2 * _STRIP):
        yield image if plain else _rgb(image, levels)
        return
    rows = max(1, _STRIP // image.width // factor) * factor
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        rgb = strip if plain else _rgb(strip, levels)
        yield rgb.reduce(factor) if factor > 1 else rgb


def _rgb(image: Image.Image, levels: Levels | None) -> Image.Image:
    if levels is not None:
        values = np.asarray(image)
        grey = levels.as_8_bit(values)
        clear = image.info.get("transparency")  # the one value that a PNG says to see through
        if isinstance(clear, int):
            grey[values == clear] = 255
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", rgba.size, (255, 255, 255))
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB") if image.mode != "RGB" else image

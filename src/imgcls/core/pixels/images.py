"""An image file as pixels: upright, RGB, 8 bits, whatever it was on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from imgcls.core.errors import ImageError, as_image_error
from imgcls.core.pixels.cost import is_slow_to_open
from imgcls.core.pixels.decode import FORMATS, Decoded, LeastSize, SlowImage, decode
from imgcls.core.pixels.orientation import UPRIGHT

if TYPE_CHECKING:
    from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
    from imgcls.core.pixels.source import Source

SOFTWARE_TAG = 0x0131  # EXIF: what has written the file


class UprightImage(NamedTuple):
    """A decoded image.

    Attributes:
        image: RGB, or grey where colours may be left out; upright; maybe of a reduced size.
        width: of the upright original, in pixels.
        height: of the upright original, in pixels.
    """

    image: Image.Image
    width: int
    height: int


def open_image(
    content: bytes, least_size: LeastSize | None = None, *, grey: bool = False
) -> UprightImage:
    """Decode an image from its encoded bytes, in at most 10 seconds and 1 GB.

    Args:
        content: the file's bytes.
        least_size: given the upright width and height, the least (width, height) that the image
            may be decoded at to save time and memory, or None for full size.
        grey: whether colours may be left out, where they will not be looked at.

    Raises:
        ImageError: it is no image, damaged, too large or takes too long.
    """
    if not content:
        raise ImageError("empty file")
    try:
        decoded = _decode(content, least_size, grey)
        return UprightImage(_joined(decoded), decoded.width, decoded.height)
    except Exception as error:  # one image, whatever is wrong with it, ends nothing but itself
        raise as_image_error(error) from error


def _decode(content: bytes, least_size: LeastSize | None, grey: bool) -> Decoded:
    if not is_slow_to_open(content):
        try:
            return decode(content, least_size, grey=grey)
        except SlowImage:
            pass
    from imgcls.core.pixels.apart import decode_apart

    return decode_apart(content, least_size)


def _joined(decoded: Decoded) -> Image.Image:
    """Return the strips as one image, upright."""
    image: Image.Image | None = None
    top = 0
    for strip in decoded.strips:
        if strip.size == decoded.size:
            image = strip
            break
        image = image or Image.new("RGB", decoded.size)
        image.paste(strip, (0, top))
        top += strip.height
    assert image is not None
    turn = UPRIGHT.get(decoded.orientation)
    return image if turn is None else image.transpose(turn)


class FittedImage(NamedTuple):
    """An image as its network sees it, before scaling.

    Attributes:
        pixels: uint8 (size, size, 3) RGB.
        width: of the upright original, in pixels.
        height: of the upright original, in pixels.
        view: what the network saw, for people to look at; None if it was not asked for.
    """

    pixels: Uint8Image
    width: int
    height: int
    view: Uint8Image | None = None


def load_image(
    source: Source, preprocessing: Preprocessing, view: int | None = None
) -> FittedImage:
    """Read one image and crop and resize it; the one way in for every command.

    Args:
        source: the image.
        preprocessing: how it is cropped and resized.
        view: how many pixels a side of the `view` has at most; None for no such view.

    Raises:
        ImageError: it cannot be read.
    """
    return fit_image(source.read(), preprocessing, view)


def fit_image(content: bytes, preprocessing: Preprocessing, view: int | None = None) -> FittedImage:
    """Decode an image whose bytes are read, and crop and resize it; see `load_image`."""
    upright = open_image(content, preprocessing.least_size)
    pixels = preprocessing.fit(upright.image)
    seen = None if view is None else preprocessing.view(upright.image, view)
    return FittedImage(pixels, upright.width, upright.height, seen)


def load_with_original(
    source: Source, preprocessing: Preprocessing
) -> tuple[FittedImage, Uint8Image]:
    """Read one image as `load_image` does, and at full size: uint8 (height, width, 3).

    What is read first may be an image decoded at a reduced size, so that the network sees the
    very pixels that `load_image` gives it.

    Raises:
        ImageError: it cannot be read.
    """
    content = source.read()
    upright = open_image(content, preprocessing.least_size)
    width, height = upright.width, upright.height
    fitted = FittedImage(preprocessing.fit(upright.image), width, height)
    if upright.image.size != (width, height):
        upright = open_image(content)
    return fitted, np.asarray(upright.image)


def software_of(path: str) -> str:
    """Return which program an image file says has written it; "" if it is no image or silent."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return str(image.getexif().get(SOFTWARE_TAG, ""))
    except Exception:  # whatever a parser stumbles over: then nobody says so
        return ""

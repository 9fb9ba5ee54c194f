"""Samples of more than 8 bits, as 8."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from imgcls.core.pixels.metadata import significant_bits

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE = 258, 262, 281  # TIFF tags
_WHITE_IS_ZERO = 0
_STRIP = 2**22  # samples at once
_MOST_BRIGHTENED = 30_000_000  # pixels; more would take too much memory


_ALL = np.arange(2**16, dtype=np.uint16)


class Levels(NamedTuple):
    """Which of an image's values is black and which is white."""

    black: float
    white: float

    def as_8_bit(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """Scale values to 0..255; those that are not finite are black."""
        if values.dtype == np.uint16 and values.size > 2**16:
            looked_up: npt.NDArray[np.uint8] = self.table()[values]
            return looked_up
        scaled = np.subtract(values, self.black, dtype=np.float64)
        scaled *= 255.0 / (self.white - self.black or 1.0)
        scaled[~np.isfinite(scaled)] = 0.0
        levels: npt.NDArray[np.uint8] = np.rint(scaled.clip(0, 255)).astype(np.uint8)
        return levels

    def table(self) -> npt.NDArray[np.uint8]:
        """Return what each value of 16 bits becomes."""
        return self.as_8_bit(_ALL)


def is_deep(image: Image.Image) -> bool:
    """Whether an image is grey of more than 8 bits."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def levels_of(image: Image.Image, content: bytes) -> Levels:
    """Return what is black and white in grey of more than 8 bits.

    The greatest value is what the file says (a PNG's sBIT, a TIFF's MaxSampleValue or bits), if
    no sample is larger; else that of 10, 12 or 16 bits, the least that holds all samples.
    Floats: 1 or 255, if that bounds them. All others, 32-bit integers above 65535 too, are
    stretched from their least to their greatest value. WhiteIsZero turns it around.
    """
    low, high = _extremes(image)
    if image.mode == "F":
        white = 1.0 if high <= 1 else 255.0
    else:
        white = _white(high, _stated_white(image, content))
    levels = Levels(0.0, white) if low >= 0 and high <= white else Levels(low, high)
    if image.format == "TIFF" and _tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO:
        return Levels(levels.white, levels.black)
    return levels


def brightened(
    image: Image.Image, content: bytes, reopen: Callable[[], ImageFile.ImageFile], raw: str
) -> Image.Image:
    """Return colour of 10 or 12 bits that a file holds in 16, scaled; others as they are.

    Pillow keeps the high byte of each sample only, so such an image comes out black. Decoded a
    second time as if its bytes were in the other order, it gives the low ones.

    Args:
        image: of 8 bits a channel, loaded.
        content: the file.
        reopen: opens it again.
        raw: the order of bytes that it was decoded from, as Pillow says it.
    """
    swapped = _SWAPPED.get(raw)
    if swapped is None or image.width * image.height > _MOST_BRIGHTENED:
        return image
    high = np.asarray(image)
    white = _white(int(high[..., :3].max()) << 8 | 255, _stated_white(image, content))
    if white >= 65535:
        return image
    table = Levels(0.0, float(white)).table()
    again = reopen()
    again.tile = [tile._replace(args=_with_raw(tile.args, raw, swapped)) for tile in again.tile]
    again.load()
    low = np.asarray(again)
    scaled = high.copy()
    for row in range(image.height):
        values = high[row, :, :3].astype(np.uint16) << 8 | low[row, :, :3]
        scaled[row, :, :3] = table[values]
    result = Image.fromarray(scaled)
    result.format = image.format
    return result


_SWAPPED = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA")
    for order, other in (("B", "L"), ("L", "B"), ("N", "B" if sys.byteorder == "little" else "L"))
}


def _with_raw(arguments: Any, raw: str, swapped: str) -> Any:
    if isinstance(arguments, tuple):
        return tuple(swapped if one == raw else one for one in arguments)
    return swapped if arguments == raw else arguments


def _white(high: float, stated: int) -> float:
    if stated and high <= stated:
        return stated
    return next((float(white) for white in (1023, 4095) if high <= white), 65535.0)


def _stated_white(image: Image.Image, content: bytes) -> int:
    """Return the greatest value that a file says its samples have; 0 if it does not."""
    if image.format == "PNG":
        bits = significant_bits(content)
        return 2**bits - 1 if 8 < bits < 16 else 0
    if image.format == "TIFF":
        greatest, bits = _tag(image, _MAX_SAMPLE_VALUE), _tag(image, _BITS_PER_SAMPLE)
        return greatest or (2**bits - 1 if 8 < bits < 16 else 0)
    return 0


def _tag(image: Image.Image, tag: int) -> int:
    """Return a TIFF tag's number; -1 is a photometric that is not said, 0 any other."""
    value = getattr(image, "tag_v2", {}).get(tag)
    first = value[0] if isinstance(value, tuple) and value else value
    return first if isinstance(first, int) else -(tag == _PHOTOMETRIC)


def _extremes(image: Image.Image) -> tuple[float, float]:
    """Return the least and the greatest finite value."""
    if image.mode != "F":
        low, high = image.getextrema()
        return float(low), float(high)  # type: ignore[arg-type]
    lows, highs = [], []
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        values = np.asarray(image.crop(box))
        finite = values[np.isfinite(values)]
        if finite.size:
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    return (min(lows), max(highs)) if lows else (0.0, 0.0)

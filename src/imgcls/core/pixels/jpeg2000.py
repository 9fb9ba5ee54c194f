"""What a JPEG 2000 file's main header says of how it can be decoded."""

from __future__ import annotations

import struct
from typing import NamedTuple

_SIZE = b"\xff\x4f\xff\x51"  # start of the codestream, then the marker of its sizes
_CODING = b"\xff\x52"


class Codestream(NamedTuple):
    """How a codestream is made up.

    Attributes:
        levels: how often both sides can be halved as it is decoded.
        tile_pixels: how many pixels are decoded at once.
    """

    levels: int
    tile_pixels: int


def codestream(content: bytes) -> Codestream:
    """Read a JPEG 2000 file's main header; what is missing there is 0."""
    start = content.find(_SIZE)
    coding = content.find(_CODING, start)
    try:
        right, bottom, left, top, tile_width, tile_height = struct.unpack_from(
            ">6I", content, start + 8
        )
        levels = content[coding + 9] if coding > 0 else 0
    except (struct.error, IndexError):
        return Codestream(0, 0)
    pixels = min(tile_width, right - left) * min(tile_height, bottom - top)
    return Codestream(levels if levels <= 32 else 0, max(0, pixels))

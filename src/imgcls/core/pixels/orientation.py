"""Which way up an image is, by its EXIF or XMP; what cannot be read says nothing."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image

_TAG = 0x0112
_SHORT = 3  # the tag's type: 16 bits
_MOST_TAGS = 1000
_XMP = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])\b")

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(info: Mapping[Any, Any]) -> int:
    """Return an image's EXIF orientation, 1 (upright) to 8.

    This one tag is read here and not by Pillow, which reads all of them: that fails on what is
    damaged elsewhere, and takes what a crafted table asks for.

    Args:
        info: what Pillow has found beside the pixels.
    """
    found = _of_exif(_exif(info)) or _of_xmp(info)
    return found if 1 <= found <= 8 else 1


def swaps_sides(orientation: int) -> bool:
    """Whether an orientation exchanges width and height."""
    return orientation >= 5


def _exif(info: Mapping[Any, Any]) -> bytes:
    exif = info.get("exif")
    if isinstance(exif, bytes):
        return exif.removeprefix(b"Exif\0\0").removeprefix(b"Exif\0\0")  # some write it twice
    text = info.get("Raw profile type exif")  # PNG, by ImageMagick: name, length, hexadecimal
    try:
        digits = "".join(text.split("\n")[3:]) if isinstance(text, str) else ""
        return bytes.fromhex(digits).removeprefix(b"Exif\0\0")
    except ValueError:
        return b""


def _of_exif(exif: bytes) -> int:
    """Return the tag of the first table of a TIFF structure; 0 if there is none."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 0
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for at in range(start + 2, start + 2 + 12 * min(count, _MOST_TAGS), 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, at)
            if tag == _TAG:
                return int(value) if kind == _SHORT else 0
    except struct.error:
        pass  # it ends early
    return 0


def _of_xmp(info: Mapping[Any, Any]) -> int:
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    found = _XMP.search(xmp) if isinstance(xmp, bytes) else None
    return int(found[1]) if found else 0

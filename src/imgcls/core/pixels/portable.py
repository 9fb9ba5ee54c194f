"""PBM, PGM and PPM files that Pillow reads a number at a time: plain text, and odd greatest values.

After https://netpbm.sourceforge.net/doc/ppm.html and its sisters.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from PIL import Image

from imgcls.core.errors import ImageError

# Possessive: no way back into what has matched.
_NUMBER = rb"(?:\s|#[^\r\n]*+[\r\n])++(\d{1,9})"
_BITMAP = rb"P1" + _NUMBER * 2
_GREY_OR_COLOUR = rb"P([2356])" + _NUMBER * 3 + rb"\s"
_COMMENT = rb"#[^\r\n]*+"
_LINE_END = re.compile(rb"[\r\n]")
_SPACE = re.compile(rb"\s")
_BLOCK = 2**20  # bytes of text, or samples, at once

_Levels = npt.NDArray[np.uint8]


def read_portable(content: bytes, most_pixels: int) -> Image.Image | None:
    """Read a file of one of these kinds; None if it is none, or one that Pillow reads fast.

    Returns:
        Grey ("L") or colour ("RGB") of 8 bits, scaled from 0 to the file's greatest value.

    Raises:
        ImageError: it is too large, cut off or damaged.
    """
    if not content.startswith(b"P"):
        return None
    start = content[: 2**20]
    header = re.match(_BITMAP, start) or re.match(_GREY_OR_COLOUR, start)
    if not header:
        return None
    if header.re.pattern == _BITMAP:
        kind, white = 1, 1
        width, height = map(int, header.groups())
    else:
        kind, width, height, white = map(int, header.groups())
    if not (width and height and 0 < white < 65536):
        raise ImageError("damaged PPM (a side or the greatest value is out of range)")
    if width * height > most_pixels:
        raise ImageError(
            f"too large: {width}×{height} pixels; at most {most_pixels // 10**6} megapixels"
        )
    if kind in (5, 6) and white == 255:
        return None
    channels = 3 if kind in (3, 6) else 1
    samples = np.empty(width * height * channels, np.uint8)
    if kind == 1:
        _read_bits(content[header.end() :], samples)
    else:
        # 8 bits of each value that the file may have; what is larger counts as the greatest.
        levels = np.rint(np.minimum(np.arange(65536), white) * (255 / white)).astype(np.uint8)
        if kind in (5, 6):
            _read_binary(content, header.end(), 1 if white < 256 else 2, levels, samples)
        else:
            _read_text(content[header.end() :], levels, samples)
    shape = (height, width, 3) if channels == 3 else (height, width)
    image = Image.fromarray(samples.reshape(shape))
    image.format = "PPM"
    return image


def _read_binary(
    content: bytes, start: int, size: int, levels: _Levels, samples: npt.NDArray[np.uint8]
) -> None:
    if len(content) - start < size * samples.size:
        raise ImageError("truncated PPM")
    values = np.frombuffer(content, np.uint8 if size == 1 else ">u2", samples.size, start)
    for at in range(0, samples.size, _BLOCK):
        samples[at : at + _BLOCK] = levels[values[at : at + _BLOCK]]


def _read_text(text: bytes, levels: _Levels, samples: npt.NDArray[np.uint8]) -> None:
    boundary = _LINE_END if b"#" in text else _SPACE
    filled = start = 0
    while filled < samples.size and start < len(text):
        found = boundary.search(text, start + _BLOCK)
        end = found.end() if found else len(text)
        values = _numbers(re.sub(_COMMENT, b"", text[start:end]))[: samples.size - filled]
        samples[filled : filled + values.size] = levels[np.clip(values, 0, 65535)]
        filled += values.size
        start = end
    if filled < samples.size:
        raise ImageError("truncated PPM")


def _numbers(text: bytes) -> npt.NDArray[np.int64]:
    if text.strip(b" \t\n\r\v\f0123456789") or not text.strip():
        if text.strip():
            raise ImageError("damaged PPM (what should be a number is none)")
        return np.empty(0, np.int64)
    return np.fromstring(text, np.int64, sep=" ")


def _read_bits(text: bytes, samples: npt.NDArray[np.uint8]) -> None:
    digits = re.sub(_COMMENT, b"", text).translate(None, b" \t\n\r\v\f")[: samples.size]
    if len(digits) < samples.size:
        raise ImageError("truncated PPM")
    bits = np.frombuffer(digits, np.uint8) - ord("0")
    if bits.max() > 1:
        raise ImageError("damaged PPM (what should be a bit is none)")
    np.multiply(1 - bits, 255, out=samples)  # 1 is black

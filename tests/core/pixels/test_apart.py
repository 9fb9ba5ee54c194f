"""Decoding in a process of its own gives the same pixels, and ends in time."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
from PIL import Image

from imgcls.core.errors import ImageError
from imgcls.core.pixels import apart, decode, images
from imgcls.core.pixels.apart import decode_apart
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.preprocessing import Preprocessing


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, format_name, **options)
    return content.getvalue()


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))


def turned(format_name: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(NOISE, format_name, exif=exif)


@pytest.mark.parametrize("content", [turned("JPEG"), turned("PNG"), encoded(NOISE, "GIF")])
def test_pixels_are_the_same(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    preprocessing = Preprocessing(50, 60, "none", "bicubic")
    for least_size in (None, preprocessing.least_size):
        here = open_image(content, least_size)
        monkeypatch.setattr(images, "is_slow_to_open", lambda _: True)
        there = open_image(content, least_size)
        monkeypatch.undo()
        assert (there.width, there.height) == (here.width, here.height)
        np.testing.assert_array_equal(np.asarray(there.image), np.asarray(here.image))


def test_large_images_come_in_strips() -> None:
    content = encoded(Image.new("RGB", (8200, 6200), (1, 2, 3)), "PNG", compress_level=1)
    preprocessing = Preprocessing(224, 256, "none", "bicubic")
    assert open_image(content, preprocessing.least_size).image.size == (684, 517)


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ImageError, match=r"^truncated PNG$"):
        decode_apart(encoded(NOISE, "PNG")[:5000])
    with pytest.raises(ImageError, match=r"^not an image, or of a format that is not read$"):
        decode_apart(b"some text")


def packed_bitmap(side: int) -> bytes:
    """Return a few bytes of BMP, run-length encoded, that Pillow takes minutes for."""
    rows = b"\1\1\0\0" * side + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(rows), 0, 0, 256, 0)
    start = b"BM" + struct.pack("<IHHI", 1078 + len(rows), 0, 0, 1078)
    return start + header + bytes(range(256)) * 4 + rows


def test_time_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "SECONDS", 1.0)
    start = time.monotonic()
    with pytest.raises(ImageError, match=r"^takes longer than 1 s to decode$"):
        open_image(packed_bitmap(15_000), lambda *_: (500, 500))
    assert time.monotonic() - start < 5


@pytest.mark.linux
def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(Image.new("RGB", (5000, 5000)), "JPEG2000")
    monkeypatch.setattr(apart, "MAX_MEMORY", 150_000_000)
    monkeypatch.setattr(
        apart,
        "_COMMAND",
        "from imgcls.core.pixels import apart; apart.MAX_MEMORY = 150_000_000; apart.main()",
    )
    with pytest.raises(ImageError, match=r"^(damaged|too large|takes too much memory)"):
        open_image(content)
    assert decode.MAX_MEMORY == 870_000_000


def test_a_process_that_dies_is_one_images_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_COMMAND", "import os; os.abort()")
    with pytest.raises(ImageError, match=r"^takes too much memory to decode, or crashes its"):
        decode_apart(encoded(NOISE, "PNG"))

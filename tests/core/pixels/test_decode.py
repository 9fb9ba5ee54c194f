"""What a decoded image says of itself, how far it was reduced, and what an error calls it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features

from imgcls.core.errors import ImageError
from imgcls.core.pixels.decode import decode


def encoded(format_name: str, size: tuple[int, int], orientation: int = 1, **how: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.save(file, format_name, **how, **({"exif": exif} if orientation > 1 else {}))
    return file.getvalue()


def strips_of(content: bytes, least: tuple[int, int] | None = None) -> np.ndarray:
    return np.concatenate([np.asarray(strip) for strip in decode(content, lambda *_: least).strips])


@pytest.mark.parametrize("format_name", ["PNG", "JPEG"])
def test_sides_are_of_the_upright_image_and_strips_as_they_are_stored(format_name: str) -> None:
    asked: list[tuple[int, int]] = []

    def least_size(width: int, height: int) -> None:
        asked.append((width, height))

    turned = decode(encoded(format_name, (40, 20), 6), least_size)
    assert (turned.width, turned.height, turned.orientation) == (20, 40, 6)
    assert turned.size == (40, 20) and asked == [(20, 40)]
    plain = decode(encoded(format_name, (40, 20)), least_size)
    assert (plain.width, plain.height, plain.orientation) == (40, 20, 1)


@pytest.mark.parametrize(
    ("least", "size"),
    [
        *(((401, 1), (800, 400)), ((400, 200), (400, 200)), ((201, 1), (400, 200))),
        *(((200, 100), (200, 100)), ((50, 25), (100, 50)), ((1, 1), (100, 50))),
    ],
)
def test_a_jpeg_is_reduced_by_2_4_or_8_and_never_below_the_least(
    least: tuple[int, int], size: tuple[int, int]
) -> None:
    content = encoded("JPEG", (800, 400))
    decoded = decode(content, lambda *_: least)
    assert (decoded.width, decoded.height, decoded.size) == (800, 400, size)
    assert strips_of(content, least).shape == (*size[::-1], 3)


def test_the_least_size_is_turned_with_the_image() -> None:
    decoded = decode(encoded("JPEG", (800, 400), 6), lambda *_: (100, 200))
    assert (decoded.width, decoded.height, decoded.size) == (400, 800, (200, 100))


@pytest.mark.skipif(not features.check("jpg_2000"), reason="needs OpenJPEG")
def test_a_jpeg_2000_is_halved_as_often_as_it_can_be() -> None:
    content = encoded("JPEG2000", (100, 60), num_resolutions=3)
    assert decode(content, lambda *_: (30, 10)).size == (50, 30)
    assert decode(content, lambda *_: (10, 5)).size == (25, 15)  # it was saved at three sizes
    assert strips_of(content, (30, 10)).shape == (30, 50, 3)


def test_a_png_has_no_way_of_its_own_and_stays() -> None:
    assert decode(encoded("PNG", (800, 400)), lambda *_: (10, 5)).size == (800, 400)


def test_pixels_are_those_of_the_file() -> None:
    content = encoded("PNG", (40, 20))
    assert np.array_equal(strips_of(content), np.asarray(Image.open(io.BytesIO(content))))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def huge_png(width: int, height: int) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image, or of a format that is not read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image, or of a format that is not read"),
        (encoded("JPEG", (40, 20))[:-30], "truncated JPEG"),
        (huge_png(16001, 16000), "too large: 16001×16000 pixels; at most 256 megapixels"),
        (huge_png(40000, 40000), "too large: at most 256 megapixels"),
    ],
    ids=["empty", "EPS", "cut off", "large", "huge"],
)
def test_an_error_says_what_is_wrong_with_the_file(content: bytes, message: str) -> None:
    with pytest.raises(ImageError) as raised:
        decode(content)
    assert str(raised.value) == message

"""More than 8 bits: which value is white, worked out by hand."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from imgcls.core.pixels.images import open_image


def png(values: np.ndarray, colour: int, chunks: bytes = b"") -> bytes:
    """Encode 16-bit samples (h, w) or (h, w, channels)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    height, width = values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    sbit = chunk(b"sBIT", chunks) if chunks else b""
    parts = chunk(b"IHDR", header), sbit, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(
    values: np.ndarray,
    photometric: int,
    bits: int,
    kind: int = 1,
    *,
    width: int = 0,
    greatest: int = 0,
    compressed: bool = False,
) -> bytes:
    """Encode one strip of samples (h, w) or (h, w, 3); below 8 bits they are packed already."""
    channels = 3 if values.ndim == 3 else 1
    data = zlib.compress(values.tobytes()) if compressed else values.tobytes()
    tags = {256: width or values.shape[1], 257: values.shape[0], 258: bits}
    tags |= {259: 8 if compressed else 1, 262: photometric, 277: channels, 278: values.shape[0]}
    tags |= {279: len(data)} | ({339: kind} if channels == 1 else {})
    tags |= {281: greatest} if greatest else {}
    start = 8 + 2 + 12 * (len(tags) + 1) + 4  # of the bits of three channels, then of the data
    table = struct.pack("<H", len(tags) + 1)
    for tag, value in sorted((tags | {273: start + 6}).items()):
        if tag == 258 and channels == 3:
            table += struct.pack("<HHII", tag, 3, 3, start)
        else:
            table += struct.pack("<HHII", tag, 4, 1, value)
    return b"II*\0\x08\0\0\0" + table + bytes(4) + struct.pack("<HHH", bits, bits, bits) + data


def grey(content: bytes) -> list[int]:
    return np.asarray(open_image(content).image)[0, :, 0].tolist()


@pytest.mark.parametrize(
    ("values", "sbit", "expected"),
    [
        pytest.param([0, 1000, 4095], 0, [0, 62, 255], id="12 bits by range"),
        pytest.param([0, 1000, 1023], 0, [0, 249, 255], id="10 bits by range"),
        pytest.param([0, 1000, 4095], 12, [0, 62, 255], id="12 bits as stated"),
        pytest.param([0, 100, 1000], 12, [0, 6, 62], id="stated, though 10 bits would do"),
        pytest.param([0, 1000, 16383], 14, [0, 16, 255], id="14 bits as stated"),
        pytest.param([0, 1000, 65535], 12, [0, 4, 255], id="scaled up already, as PNG asks"),
        pytest.param([0, 1000, 4096], 0, [0, 4, 16], id="13 bits are dark 16"),
        pytest.param([0, 1000, 4096], 16, [0, 4, 16], id="16 bits as stated"),
    ],
)
def test_png(values: list[int], sbit: int, expected: list[int]) -> None:
    assert grey(png(np.array([values]), 0, bytes([sbit]) if sbit else b"")) == expected


@pytest.mark.parametrize("colour", [2, 6])
def test_colour_of_12_bits_in_16(colour: int) -> None:
    values = np.array([[[0, 16, 4095, 65535], [256, 1000, 4095, 65535]]])
    content = png(values[..., : 3 if colour == 2 else 4], colour)
    assert np.asarray(open_image(content).image)[0].tolist() == [[0, 1, 255], [16, 62, 255]]


@pytest.mark.parametrize("compressed", [False, True])
def test_colour_of_12_bits_in_a_tiff_of_16(compressed: bool) -> None:
    values = np.array([[[0, 16, 4095], [256, 1000, 4095]]], "<u2")
    content = tiff(values, 2, 16, compressed=compressed)
    assert np.asarray(open_image(content).image)[0].tolist() == [[0, 1, 255], [16, 62, 255]]


def test_colour_of_16_bits_is_as_before() -> None:
    content = png(np.array([[[257, 32896, 65535], [0, 4000, 5000]]]), 2)
    assert np.asarray(open_image(content).image)[0].tolist() == [[1, 128, 255], [0, 15, 19]]


@pytest.mark.parametrize(
    ("values", "white_is_zero", "expected"),
    [
        (np.array([[0b01100000]], np.uint8), 1, [255, 0, 0]),
        (np.array([[0b00_01_11_00]], np.uint8), 2, [255, 170, 0]),
        (np.array([[0x0F, 0x80]], np.uint8), 4, [255, 0, 119]),
        (np.array([[0, 51, 255]], np.uint8), 8, [255, 204, 0]),
        (np.array([[0, 13107, 65535]], "<u2"), 16, [255, 204, 0]),
        (np.array([[0, 1000, 4095]], "<u2"), 16, [255, 193, 0]),
    ],
)
def test_white_is_zero(values: np.ndarray, white_is_zero: int, expected: list[int]) -> None:
    content = (
        tiff(values, 0, white_is_zero, width=3)
        if white_is_zero < 8
        else tiff(values, 0, white_is_zero)
    )
    assert grey(content) == expected


def test_white_is_zero_of_floats() -> None:
    assert grey(tiff(np.array([[0, 0.2, 1]], "<f4"), 0, 32, 3)) == [255, 204, 0]


def test_greatest_sample_value() -> None:
    assert grey(tiff(np.array([[0, 100, 1000]], "<u2"), 1, 16, greatest=4095)) == [0, 6, 62]
    assert grey(tiff(np.array([[0, 100, 5000]], "<u2"), 1, 16, greatest=4095)) == [0, 0, 19]


def test_floats_that_are_not_finite_change_no_others() -> None:
    values = np.array([[-3, np.nan, -1, np.inf, -2]], np.float32)
    content = io.BytesIO()
    Image.fromarray(values).save(content, "TIFF")
    assert grey(content.getvalue()) == [0, 0, 255, 0, 128]

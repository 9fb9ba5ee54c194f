"""What is taken out of an encoded image, byte by byte, and that the pixels stay."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from imgcls.core.pixels.metadata import significant_bits, without_avif_exif, without_metadata

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


HEAD = chunk(b"IHDR", bytes(13))


@pytest.mark.parametrize(
    ("body", "bits"), [(b"\x0c", 12), (b"\x0a\x0c\x0b", 10), (b"\x0c\x0c\x0c\x01", 12)]
)
def test_bits_that_count_are_the_fewest_of_the_colours_without_alpha(
    body: bytes, bits: int
) -> None:
    assert significant_bits(PNG + HEAD + chunk(b"sBIT", body) + chunk(b"IDAT")) == bits


def test_no_bits_count_where_the_file_is_cut_right_after_their_header() -> None:
    assert significant_bits(PNG + HEAD + chunk(b"sBIT", b"\x0c")[:8]) == 0


def test_bits_are_only_said_before_palette_and_pixels() -> None:
    late = chunk(b"sBIT", b"\x04")
    assert significant_bits(PNG + HEAD + chunk(b"IDAT") + late) == 0
    assert significant_bits(PNG + HEAD + chunk(b"PLTE", bytes(3)) + late) == 0
    assert significant_bits(PNG + HEAD + chunk(b"sBIT") + chunk(b"IDAT")) == 0
    assert significant_bits(PNG + HEAD) == 0


def test_a_png_keeps_what_its_pixels_need() -> None:
    kept = [HEAD, chunk(b"sBIT", b"\x08"), chunk(b"PLTE", bytes(3)), chunk(b"tRNS", b"\0")]
    end = [chunk(b"IDAT", b"pixels"), chunk(b"IDAT", b"more"), chunk(b"IEND")]
    gone = [chunk(b"iCCP", b"profile"), chunk(b"tEXt", b"IDAT"), chunk(b"eXIf", b"exif")]
    content = PNG + b"".join([*kept, *gone, *end])
    assert without_metadata(content) == PNG + b"".join([*kept, *end])


def test_a_jpeg_keeps_its_colours_and_all_from_the_pixels_on() -> None:
    scan = segment(0xDA, bytes(6)) + segment(0xE1, b"of the scan") + b"pixels\xff\xd9"
    jfif, adobe, table = segment(0xE0, b"JFIF"), segment(0xEE, b"Adobe"), segment(0xDB, bytes(65))
    gone = [segment(marker, b"x") for marker in (0xE1, 0xE2, 0xED, 0xEF, 0xFE)]
    content = b"\xff\xd8" + jfif + b"".join(gone) + adobe + table + scan
    assert without_metadata(content) == b"\xff\xd8" + jfif + adobe + table + scan


@pytest.mark.parametrize("format_name", ["PNG", "JPEG"])
def test_pixels_stay(format_name: str) -> None:
    image = Image.effect_noise((16, 12), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, format_name, exif=exif, icc_profile=b"profile" * 9)
    bare = without_metadata(file.getvalue())
    assert bare is not None
    before, after = Image.open(file), Image.open(io.BytesIO(bare))
    assert before.getexif() and before.info["icc_profile"]
    assert not after.getexif() and "icc_profile" not in after.info
    assert np.array_equal(np.asarray(before), np.asarray(after))


def test_of_other_formats_nothing_is_known() -> None:
    assert without_metadata(b"GIF89a") is None
    assert without_metadata(b"") is None


def test_exif_of_an_avif_becomes_of_no_kind_and_nothing_moves() -> None:
    start, rest = box(b"ftyp", b"avif\0\0\0\0"), box(b"mdat", b"Exif in the pixels")
    content = start + box(b"meta", b"iinf Exif item") + rest
    assert without_avif_exif(content) == start + box(b"meta", b"iinf none item") + rest
    for other in (start + box(b"meta", b"iinf") + rest, start + rest, b"Exif", b"", PNG + b"Exif"):
        assert without_avif_exif(other) == other

"""A look at headers: ordinary files are not slow, crafted ones are."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image

from imgcls.core.pixels.cost import is_slow_to_load, is_slow_to_open

PHOTO = Image.effect_noise((400, 300), 60).convert("RGB")


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, format_name, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("format_name", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"icc_profile": bytes(3_000_000)}),
        ("PNG", {}),
        ("GIF", {"comment": b"x" * 1000}),
        ("WEBP", {}),
        ("AVIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("ICO", {}),
        ("JPEG2000", {}),
        ("TGA", {}),
        ("PPM", {}),
    ],
)
def test_ordinary_files_are_not_slow(format_name: str, options: dict[str, object]) -> None:
    content = encoded(PHOTO, format_name, **options)
    assert not is_slow_to_open(content)
    assert not is_slow_to_load(Image.open(io.BytesIO(content)))
    for length in range(min(len(content), 200)):
        is_slow_to_open(content[:length])  # never fails


def test_photos_are_not_slow(imagenet_sample: Path) -> None:
    assert not any(is_slow_to_open(path.read_bytes()) for path in imagenet_sample.iterdir())


def png_chunks(count: int) -> bytes:
    content = encoded(PHOTO, "PNG")
    return content[:33] + b"\0\0\0\0IDAT\x35\xaf\x06\x1e" * count + content[33:]


JPEG = encoded(PHOTO, "JPEG")
PROGRESSIVE = encoded(PHOTO.resize((2000, 2000)), "JPEG", progressive=True)
SCAN = b"\xff\xda\0\x08\x01\x01\0\x01\x3f\0"
TAGS = b"".join(struct.pack("<HHII", tag, 7, 1_000_000, 16) for tag in range(100))
EXIF = b"\xff\xe1\xff\xffExif\0\0" + bytes(65535 - 8)
ICON = encoded(PHOTO.resize((16, 16)), "ICO", sizes=[(16, 16)])
WEBP = encoded(PHOTO, "WEBP", lossless=True)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(JPEG[:2] + b"\xff\xfe\0\2" * 5000 + JPEG[2:], id="markers"),
        pytest.param(PROGRESSIVE[:-2] + SCAN * 1000, id="scans"),
        pytest.param(png_chunks(20_000), id="chunks"),
        pytest.param(b"GIF89a" + bytes(7) + b"!\xfe" + b"\1a" * 5000, id="comments"),
        pytest.param(b"GIF89a" + bytes(7) + b"!\xfe\1a\0" * 5000, id="extensions"),
        pytest.param(b"II*\0\x08\0\0\0" + struct.pack("<H", 100) + TAGS, id="tags"),
        pytest.param(JPEG[:2] + EXIF * 3 + JPEG[2:], id="EXIF of many segments"),
        pytest.param(
            b"II*\0\x08\0\0\0"
            + struct.pack("<HHHII", 1, 34665, 4, 1, 26)
            + bytes(4)
            + struct.pack("<H", 65535),
            id="a further table",
        ),
        pytest.param(
            b"II*\0\x08\0\0\0" + struct.pack("<HHHIIHHII", 2, 322, 4, 1, 9000, 323, 4, 1, 9000),
            id="tile",
        ),
        pytest.param(ICON[:4] + b"\xff\xff" + ICON[6:], id="icons"),
        pytest.param(
            ICON.replace(struct.pack(">II", 16, 16), struct.pack(">II", 20000, 20000)), id="icon"
        ),
        pytest.param(b"P4\n" + b"#\n" * 50_000 + b"8 1\n1", id="comments before sizes"),
        pytest.param(b"P2 9 9 9\n" + b"#\n" * 2_500_000, id="comments among numbers"),
        pytest.param(WEBP[:21] + b"\xff\xff\xff\x0f" + WEBP[25:], id="canvas"),
    ],
)
def test_crafted_files_are_slow(content: bytes) -> None:
    assert is_slow_to_open(content)


@pytest.mark.parametrize(
    "head", [b"P5 1 1 255\n", b"P4\n# by hand\n8 1\n", b"Pf\n2 2\n-1.0\n", b"P3 1 1 9 "]
)
def test_ordinary_portable_files_are_not_slow(head: bytes) -> None:
    assert not is_slow_to_open(head + bytes(20))


def test_packed_bitmaps_are_slow_to_load() -> None:
    header = struct.pack("<IiiHHIIiiII", 40, 600, 600, 1, 8, 1, 4, 0, 0, 256, 0)
    content = b"BM" + struct.pack("<IHHI", 1082, 0, 0, 1078) + header + bytes(1024) + b"\0\1"
    assert is_slow_to_load(Image.open(io.BytesIO(content)))

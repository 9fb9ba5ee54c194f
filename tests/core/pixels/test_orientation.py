"""Orientation, from every place where it may stand."""

from __future__ import annotations

import struct

import pytest

from imgcls.core.pixels.orientation import orientation


def exif(value: int, order: str = ">", kind: int = 3) -> bytes:
    start = b"MM\0*" if order == ">" else b"II*\0"
    return (
        start
        + struct.pack(order + "I", 8)
        + struct.pack(order + "H", 2)
        + struct.pack(order + "HHII", 0x010E, 2, 400, 9999)  # a text beyond the end
        + struct.pack(order + "HHIHH", 0x0112, kind, 1, value, 0)
        + bytes(4)
    )


RAW = "\nexif\n      54\n" + (b"Exif\0\0" + exif(6)).hex() + "\n"


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({}, 1),
        ({"exif": exif(6)}, 6),
        ({"exif": b"Exif\0\0" + exif(8, "<")}, 8),
        ({"exif": b"Exif\0\0Exif\0\0" + exif(3)}, 3),
        ({"exif": exif(9)}, 1),
        ({"exif": exif(0)}, 1),
        ({"exif": exif(6, kind=2)}, 1),
        ({"exif": exif(6)[:30]}, 1),
        ({"exif": b"II*\0\xff\xff\xff\x7f"}, 1),
        ({"exif": "text"}, 1),
        ({"Raw profile type exif": RAW}, 6),
        ({"Raw profile type exif": "\nexif\n12\nno digits"}, 1),
        ({"Raw profile type exif": 7}, 1),
        ({"xmp": b'<x tiff:Orientation="5"/>'}, 5),
        ({"XML:com.adobe.xmp": "<tiff:Orientation>7</tiff:Orientation>"}, 7),
        ({"xmp": b'<x tiff:Orientation="9"/>'}, 1),
        ({"exif": exif(6), "xmp": b'<x tiff:Orientation="5"/>'}, 6),
    ],
)
def test_orientation(info: dict[str, object], expected: int) -> None:
    assert orientation(info) == expected

"""What an image would take, by a cheap look at its headers, before it is decoded.

Ordinary files cost next to nothing to look at. What may take long, or more memory than its size
says, is decoded by a process of its own, which is limited.
"""

from __future__ import annotations

import re
import struct

from PIL import Image

from imgcls.core.pixels.jpeg2000 import codestream

# Steps through a header that no ordinary file needs.
_MOST_STEPS = 1000
_MOST_METADATA = 2**22  # bytes of tags in a TIFF
# Scans times pixels: a photo of 40 megapixels in 12 scans is below. More than 20 scans have no
# use, and arithmetic coding is slow and rare.
_MOST_SCANNED = 5 * 10**8
_MOST_SCANS = 20
_ODDLY_SCANNED = 2 * 10**7
_MOST_EXIF = 2**17  # bytes, in all segments of a JPEG
_LARGE = 50_000_000  # pixels

# Above so many pixels a format's decoder is slow, or takes far more than the pixels do.
_LARGE_FOR = {
    "AVIF": 16_000_000,
    "HEIF": 16_000_000,
    "WEBP": 16_000_000,
    "JPEG2000": 2_000_000,
    "ICO": 1_000_000,
}
_MOST_TEXT = 80_000_000  # bytes of numbers: a PPM of 7 megapixels
_MOST_COMMENTED_TEXT = 4_000_000
_LARGE_TILE = 16_000_000  # pixels of one tile of a TIFF
_MOST_TILES = 5000  # Pillow starts a decoder for each

# Bytes a pixel, all buffers together, of decoders that need more than the pixels themselves.
_DECODER_BYTES = {"WEBP": 16, "AVIF": 10}
_JPEG_2000_BYTES = 24  # of a tile
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}


def is_slow_to_open(content: bytes) -> bool:
    """Whether even reading the headers could take long."""
    try:
        if content.startswith(b"\xff\xd8"):
            return _jpeg(content)
        if content.startswith(b"\x89PNG"):
            return _png(content)
        if content.startswith(b"GIF8"):
            return _gif(content)
        if content.startswith((b"II*\0", b"MM\0*")):
            return _tiff(content)
        if content.startswith((b"II+\0", b"MM\0+")):  # BigTIFF, which is rare
            return True
        if content.startswith(b"\0\0\1\0"):
            return _ico(content)
        if content.startswith(b"RIFF"):
            return _webp(content)
        if content.startswith(b"P"):
            return _portable(content)
    except (IndexError, struct.error):
        pass  # cut off: the decoder says so
    return False


def is_slow_to_load(image: Image.Image) -> bool:
    """Whether decoding an opened image could take long or much memory."""
    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO"):  # seen before, and fast
        return False
    tiles = getattr(image, "tile", [])
    if len(tiles) > _MOST_TILES or (tiles and tiles[0].codec_name == "bmp_rle" and pixels > 2**18):
        return True
    return pixels > _LARGE_FOR.get(image.format or "", _LARGE)


def bytes_needed(image: Image.Image, content: bytes) -> int:
    """Return how many bytes decoding an opened image takes, at full size and before conversion."""
    pixels = image.width * image.height
    if image.format == "JPEG2000":
        at_once = codestream(content).tile_pixels * _JPEG_2000_BYTES
        return pixels * _MODE_BYTES.get(image.mode, 4) + at_once
    return pixels * _DECODER_BYTES.get(image.format or "", _MODE_BYTES.get(image.mode, 4))


def _jpeg(content: bytes) -> bool:
    at, exif = 2, 0
    pixels, components, progressive, arithmetic = 0, 0, False, False
    for _ in range(_MOST_STEPS):
        if content[at] != 0xFF:
            return False  # damaged
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, components = struct.unpack_from(">HHB", content, at + 5)
            pixels = height * width
            progressive, arithmetic = marker & 3 == 2, marker > 0xC8
        if marker == 0xDA:  # the first scan
            several = progressive or content[at + 4] != components
            scans = content.count(b"\xff\xda", at) if several else 1
            odd = arithmetic or scans > _MOST_SCANS
            return pixels * scans > (_ODDLY_SCANNED if odd else _MOST_SCANNED)
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if content[at + 4 : at + 8] == b"Exif":
            exif += length
            if exif > _MOST_EXIF:  # Pillow joins and reads all of it
                return True
        at += 2 + length
    return True


def _png(content: bytes) -> bool:
    at = 8
    for step in range(1, 10 * _MOST_STEPS):
        length = int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] in (b"", b"IEND"):
            return False
        at += 12 + length
        if step >= _MOST_STEPS and at < step * 1024:  # ordinary ones hold 8 KB and more
            return True
    return False


def _gif(content: bytes) -> bool:
    flags = content[10]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    for _ in range(_MOST_STEPS):
        if content[at] != 0x21:  # the first picture, the end, or damage
            return False
        at += 2
        for _ in range(_MOST_STEPS):
            length = content[at]
            at += 1 + length
            if not length:
                break
        else:
            return True
    return True


_TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


_FURTHER_TABLES = (34665, 34853, 40965)  # EXIF, GPS, interoperability


def _tiff(content: bytes) -> bool:
    order = "<" if content[:1] == b"I" else ">"
    size, tile = 0, [0, 0]
    tables = list(struct.unpack_from(order + "I", content, 4))
    for start in tables:  # grows as others are found
        (count,) = struct.unpack_from(order + "H", content, start)
        if count > _MOST_STEPS or len(tables) > 4:
            return True
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, number, value = struct.unpack_from(order + "HHII", content, at)
            size += _TYPE_BYTES.get(kind, 1) * number
            if tag in _FURTHER_TABLES and value < len(content):
                tables.append(value)
            elif tag in (322, 323):  # a tile's width and height
                tile[tag - 322] = value if kind == 4 or order == "<" else value >> 16
    return size > _MOST_METADATA or tile[0] * tile[1] > _LARGE_TILE


def _ico(content: bytes) -> bool:
    (count,) = struct.unpack_from("<H", content, 4)
    sizes = (
        struct.unpack_from(">II", content, found.end() + 8)
        for found in re.finditer(rb"\x89PNG\r\n\x1a\n", content)
    )
    limit = _LARGE_FOR["ICO"]
    return count > 64 or any(width * height > limit for width, height in sizes)


def _webp(content: bytes) -> bool:
    kind = content[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(content[24:27], "little")
        height = 1 + int.from_bytes(content[27:30], "little")
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = struct.unpack_from("<HH", content, 26)
    return width * height > _LARGE_FOR["WEBP"]


# The kind and its sizes, as any program writes them.
_PORTABLE = re.compile(rb"P\w{1,5}(?:(?:\s|#[^\r\n]*+[\r\n])++[-\d.]{1,20}){2,3}\s")


def _portable(content: bytes) -> bool:
    if not _PORTABLE.match(content[: 2**16]):
        return True
    if content[1:2] not in (b"1", b"2", b"3"):
        return False
    commented = len(content) > _MOST_COMMENTED_TEXT and b"#" in content
    return commented or len(content) > _MOST_TEXT

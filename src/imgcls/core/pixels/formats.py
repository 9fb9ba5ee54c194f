"""What an image file is called, and how its first bytes tell it from all other files."""

from __future__ import annotations

import os

# What a folder walk takes by ending alone. A file with another ending is taken if its content
# begins like an image.
IMAGE_ENDINGS = frozenset(
    [
        *(".jpg", ".jpeg", ".jpe", ".jfif"),
        *(".png", ".apng", ".gif", ".webp", ".avif", ".avifs"),
        *(".bmp", ".dib", ".tif", ".tiff", ".ico"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
        *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".tga"),
        *(".heic", ".heif", ".hif"),
    ]
)

_SNIFF_BYTES = 32
_SIGNATURES = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF, little-endian
    b"MM\x00*",  # TIFF, big-endian
    b"II+\x00",  # BigTIFF, little-endian
    b"MM\x00+",  # BigTIFF, big-endian
    b"\x00\x00\x00\x0cjP  \r\n\x87\n",  # JPEG 2000
    b"\xff\x4f\xff\x51",  # JPEG 2000 codestream
)
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

# A drawing says near its start, or its end, that this program drew it.
_DRAWING_MARKS = (b"imgcls heatmap", b"imgcls predict")
_DRAWING_ENDINGS = frozenset([".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"])
_MARK_BYTES = 256


def has_image_ending(path: str) -> bool:
    """Whether a file's name ends as an image's does."""
    return os.path.splitext(path)[1].lower() in IMAGE_ENDINGS


def looks_like_image(path: str) -> bool:
    """Whether a file is taken for an image: by its ending, else by its first bytes."""
    return has_image_ending(path) or is_image_start(_start(path, _SNIFF_BYTES))


def is_earlier_drawing(path: str) -> bool:
    """Whether a picture is one that this program drew in an earlier run.

    Only the first bytes of files with the ending of one are read, and of WebP the last, where it
    keeps such notes.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in _DRAWING_ENDINGS:
        return False
    part = _end(path, _MARK_BYTES) if ending == ".webp" else _start(path, _MARK_BYTES)
    return any(mark in part for mark in _DRAWING_MARKS)


def is_image_start(start: bytes) -> bool:
    """Whether bytes begin like an image of a format that imgcls reads."""
    return (
        start.startswith(_SIGNATURES)
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or (start[4:8] == b"ftyp" and start[8:12] in (*_AVIF_BRANDS, *_HEIC_BRANDS))
    )


def is_heic_start(start: bytes) -> bool:
    """Whether bytes begin like a HEIC image, which Pillow reads only with a plugin."""
    if start[4:8] != b"ftyp" or start[8:12] not in _HEIC_BRANDS:
        return False
    # mif1 and msf1 only say "an image"; an AVIF that begins so names its own brand further on.
    further = start[16 : int.from_bytes(start[:4], "big")]
    return not any(further[i : i + 4] in _AVIF_BRANDS for i in range(0, len(further), 4))


def _start(path: str, length: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(length)
    except OSError:
        return b""


def _end(path: str, length: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - length))
            return file.read(length)
    except OSError:
        return b""

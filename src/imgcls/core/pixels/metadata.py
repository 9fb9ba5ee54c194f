"""What an encoded image holds beside its pixels: one PNG chunk, or all of it gone."""

from __future__ import annotations

from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"sBIT", b"IDAT", b"IEND")
# APP1 to APP13, APP15 and comments; APP0 is JFIF, and APP14 is Adobe's, which tells the colours.
_META_MARKERS = {*range(0xE1, 0xEE), 0xEF, 0xFE}


def significant_bits(content: bytes) -> int:
    """Return how many bits of a PNG's samples count, by its sBIT chunk; 0 if it has none."""
    for kind, start, end in _png_chunks(content):
        if kind == b"sBIT" and end > start:
            return min(content[start : min(end, start + 3)], default=0)  # 0: cut right here
        if kind in (b"PLTE", b"IDAT"):
            break
    return 0


def without_metadata(content: bytes) -> bytes | None:
    """Return an image without what only describes it; None if nothing is known to go.

    For images that a decoder refuses because of a text, a colour profile or EXIF.
    """
    if content.startswith(_PNG):
        parts = (
            content[start - 8 : end + 4]
            for kind, start, end in _png_chunks(content)
            if kind in _PIXEL_CHUNKS
        )
        return _PNG + b"".join(parts)
    if content.startswith(b"\xff\xd8"):
        return b"\xff\xd8" + b"".join(_jpeg_without_metadata(content))
    return None


def without_avif_exif(content: bytes) -> bytes:
    """Return an AVIF image without EXIF, others as they are.

    Its orientation is not there but in its own properties, and reading it may take any memory.
    """
    start = int.from_bytes(content[:4], "big")
    if content[4:8] != b"ftyp" or content[start + 4 : start + 8] != b"meta":
        return content
    end = start + int.from_bytes(content[start : start + 4], "big")
    if b"Exif" not in content[start:end]:
        return content
    # The item stays where it is, but is of a kind that nobody knows.
    return content[:start] + content[start:end].replace(b"Exif", b"none") + content[end:]


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's kind and where its data begin and end."""
    at = len(_PNG)
    while at + 8 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        yield content[at + 4 : at + 8], at + 8, end
        at = end + 4


def _jpeg_without_metadata(content: bytes) -> Iterator[bytes]:
    at = 2
    while content[at : at + 1] == b"\xff" and at + 4 <= len(content):
        marker = content[at + 1]
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:  # the pixels begin
            break
        if marker not in _META_MARKERS:
            yield content[at:end]
        at = end
    yield content[at:]

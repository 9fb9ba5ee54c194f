"""An encoded image → RGB of 8 bits, in strips, with bounded memory."""

from __future__ import annotations

import contextlib
import io
import logging
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, UnidentifiedImageError

from imgcls.core.errors import ImageError, one_line
from imgcls.core.pixels.cost import bytes_needed, is_slow_to_load
from imgcls.core.pixels.depth import brightened, is_deep, levels_of
from imgcls.core.pixels.formats import is_heic_start
from imgcls.core.pixels.jpeg2000 import codestream
from imgcls.core.pixels.metadata import without_avif_exif, without_metadata
from imgcls.core.pixels.orientation import orientation, swaps_sides
from imgcls.core.pixels.portable import read_portable
from imgcls.core.pixels.rgb import rgb_strips

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

log = logging.getLogger("imgcls")

# Never EPS, PDF, SVG and the like: Pillow starts helpers for them.
FORMATS = [
    "JPEG",
    "PNG",
    "GIF",
    "WEBP",
    "AVIF",
    "BMP",
    "DIB",
    "TIFF",
    "ICO",
    "PPM",
    "JPEG2000",
    "TGA",
]  # order: by frequency

# Larger images are refused before they are decoded; a 200-megapixel phone photo passes.
MAX_PIXELS = 256_000_000
# Pillow's own limit would refuse that photo, and it has no other switch.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

MAX_MEMORY = 870_000_000  # bytes for one image, so that the program stays under a gigabyte

# Above so many pixels an image that JPEG's own way does not serve is reduced as it is converted.
_REDUCED_ABOVE = 32_000_000
_JPEG = b"\xff\xd8\xff"
_RGB_BYTES = 4  # a pixel, in Pillow's memory

LeastSize = Callable[[int, int], tuple[int, int] | None]


class SlowImage(Exception):
    """An image that is to be decoded by a process of its own."""


class Decoded(NamedTuple):
    """A decoded image that is converted to RGB as its strips are taken.

    Attributes:
        width: of the upright original, in pixels.
        height: of the upright original, in pixels.
        orientation: how the strips are to be turned, 1 to 8 as in EXIF.
        size: width and height of all strips together, before they are turned.
        strips: RGB, or grey where colours may be left out; from the top.
    """

    width: int
    height: int
    orientation: int
    size: tuple[int, int]
    strips: Iterator[Image.Image]


def decode(
    content: bytes,
    least_size: LeastSize | None = None,
    *,
    slow_too: bool = False,
    grey: bool = False,
) -> Decoded:
    """Decode an image.

    Args:
        content: the file's bytes.
        least_size: given the upright width and height, the least (width, height) that the image
            may be reduced to as it is decoded, or None for full size.
        slow_too: whether images are decoded that may take long.
        grey: whether colours may be left out, which takes a JPEG half the time.

    Raises:
        ImageError: it is no image, damaged or too large.
        SlowImage: it may take long, and `slow_too` is false.
    """
    try:
        return _decode(content, least_size, slow_too, grey)
    except (ImageError, SlowImage):
        raise
    except Exception as error:  # whatever the parser at hand stumbles over
        bare = without_metadata(content)
        if bare is None or bare == content or isinstance(error, MemoryError):
            raise _as_image_error(error, content) from error
        try:
            return _decode(bare, least_size, slow_too, grey)
        except (ImageError, SlowImage):
            raise
        except Exception:
            raise _as_image_error(error, content) from error


def _decode(content: bytes, least_size: LeastSize | None, slow_too: bool, grey: bool) -> Decoded:
    image: Image.Image = read_portable(content, MAX_PIXELS) or _open(content)
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            f"too large: {image.width}×{image.height} pixels; "
            f"at most {MAX_PIXELS // 10**6} megapixels"
        )
    if not slow_too and is_slow_to_load(image):
        raise SlowImage
    turn = 1 if image.format == "TIFF" else orientation(image.info)  # Pillow turns TIFFs
    width, height = image.size[::-1] if swaps_sides(turn) else image.size
    least = least_size(width, height) if least_size else None
    if least and swaps_sides(turn):
        least = least[::-1]
    halvings = _reduce(image, least, content, grey) if least else 0
    size = _halved(image.width, halvings), _halved(image.height, halvings)
    factor = _factor(*size, least)
    _check_memory(image, content, halvings, factor, turn)
    raw = _raw_mode(image)
    image.load()
    image = brightened(image, content, lambda: _open(content), raw)
    levels = levels_of(image, content) if is_deep(image) else None
    size = -(-image.width // factor), -(-image.height // factor)  # rounded up
    return Decoded(width, height, turn, size, rgb_strips(image, levels, factor, grey=grey))


def _open(content: bytes) -> ImageFile:
    if content.startswith(_JPEG):
        # Image.open would import the plugins of six other formats first.
        from PIL.JpegImagePlugin import jpeg_factory

        with contextlib.suppress(
            SyntaxError, IndexError, TypeError, struct.error
        ):  # it then says what is wrong
            return jpeg_factory(io.BytesIO(content))
    if is_heic_start(content[:64]):
        _register_heic()
    heic = ["HEIF"] if "HEIF" in Image.OPEN else []
    return Image.open(io.BytesIO(without_avif_exif(content)), formats=[*FORMATS, *heic])


def _reduce(image: Image.Image, least: tuple[int, int], content: bytes, grey: bool) -> int:
    """Let a decoder give a smaller image where that saves it time: JPEG and JPEG 2000.

    Returns:
        How often both sides will be halved on loading; JPEG changes its size at once.
    """
    # Only JPEG heeds this: its blocks decode at 1/2, 1/4 or 1/8.
    image.draft("L" if grey else None, least)
    if image.format != "JPEG2000":
        return 0
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

    assert isinstance(image, Jpeg2KImageFile)
    possible = min(image.width // least[0], image.height // least[1]).bit_length() - 1
    halvings = max(0, min(possible, codestream(content).levels))
    image.reduce = halvings
    return halvings


def _halved(side: int, times: int) -> int:
    return side + (1 << times >> 1) >> times


def _factor(width: int, height: int, least: tuple[int, int] | None) -> int:
    """Return by how much both sides are divided as the image is converted."""
    if not least or width * height <= _REDUCED_ABOVE:
        return 1
    return max(1, min(width // least[0], height // least[1]))


def _check_memory(
    image: Image.Image, content: bytes, halvings: int, factor: int, turn: int
) -> None:
    shrunk = 4**halvings
    result = image.width * image.height // shrunk // factor**2 * _RGB_BYTES
    copies = (image.mode != "RGB" or factor > 1) + (turn != 1)
    needed = len(content) + bytes_needed(image, content) // shrunk + copies * result
    if needed > MAX_MEMORY:
        raise ImageError(
            f"too large: {image.width}×{image.height} pixels take {needed // 10**6} MB; "
            f"at most {MAX_MEMORY // 10**6} MB"
        )


def _raw_mode(image: Image.Image) -> str:
    """Return the order of bytes that an image is decoded from, where Pillow says it."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0].args if tiles else ""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _as_image_error(error: Exception, content: bytes) -> ImageError:
    log.debug("one image failed", exc_info=error)
    if isinstance(error, UnidentifiedImageError):
        return ImageError("not an image, or of a format that is not read")
    if isinstance(error, Image.DecompressionBombError):
        return ImageError(f"too large: at most {MAX_PIXELS // 10**6} megapixels")
    if isinstance(error, MemoryError):
        return ImageError("too large for the memory that is free")
    text, name = one_line(str(error)), _format_name(content)
    if "truncated" in text.lower():
        return ImageError(f"truncated {name}")
    return ImageError(f"damaged {name}" + (f" ({text})" if text else ""))


def _format_name(content: bytes) -> str:
    """Return what to call a file that was not even opened, by its first bytes."""
    try:
        return _open(content).format or "image"
    except Exception:  # it may fail for the very reason that is to be told
        return "image"


def _register_heic() -> None:
    try:
        import pillow_heif
    except ImportError:
        raise ImageError("HEIC is read with the extra imgcls[heic]; install it") from None
    pillow_heif.register_heif_opener()

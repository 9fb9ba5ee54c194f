"""An image file as pixels: upright, RGB, 8 bits, whatever it was on the disk."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from imgcls.core.errors import ImageError
from imgcls.core.pixels.formats import is_heic_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imgcls.core.arrays import Float32Array
    from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
    from imgcls.core.pixels.source import Source

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

SOFTWARE_TAG = 0x0131  # EXIF: what has written the file
_ORIENTATION = 0x0112  # EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's decoders raise on damaged files, besides their own OSError and SyntaxError:
# whatever the parser at hand stumbles over.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True)
class UprightImage:
    """A decoded image.

    Attributes:
        image: RGB, upright; maybe decoded at a reduced size.
        width: of the upright original, in pixels.
        height: of the upright original, in pixels.
    """

    image: Image.Image
    width: int
    height: int


def open_image(
    content: bytes, least_size: Callable[[int, int], tuple[int, int] | None] | None = None
) -> UprightImage:
    """Decode an image from its encoded bytes.

    Args:
        content: the file's bytes.
        least_size: given the upright width and height, the least (width, height) that a JPEG
            may be decoded at to save time, or None for full size.

    Raises:
        ImageError: it is no image, damaged or too large.
    """
    if not content:
        raise ImageError("empty file")
    if is_heic_start(content[:64]):
        _register_heic()
    name = ""
    try:
        with Image.open(io.BytesIO(content), formats=[*FORMATS, *_heic_formats()]) as image:
            name = image.format or "image"
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(
                    f"too large: {image.width}×{image.height} pixels; "
                    f"at most {MAX_PIXELS // 10**6} megapixels"
                )
            return _upright_rgb(image, least_size)
    except UnidentifiedImageError:
        raise ImageError("not an image, or of a format that is not read") from None
    except _DECODE_ERRORS as error:
        raise ImageError(_reason(error, name)) from error


def read_image(source: Source) -> Uint8Image:
    """Read an image at full size.

    Returns:
        uint8 (height, width, 3) RGB, upright.

    Raises:
        ImageError: it cannot be read.
    """
    return np.asarray(open_image(source.read()).image)


@dataclass(frozen=True)
class FittedImage:
    """An image as its network sees it, before scaling.

    Attributes:
        pixels: uint8 (size, size, 3) RGB.
        width: of the upright original, in pixels.
        height: of the upright original, in pixels.
    """

    pixels: Uint8Image
    width: int
    height: int


def load_image(source: Source, preprocessing: Preprocessing) -> FittedImage:
    """Read one image and crop and resize it; the one way in for every command.

    Raises:
        ImageError: it cannot be read.
    """
    upright = open_image(source.read(), preprocessing.least_size)
    return FittedImage(preprocessing.fit(upright.image), upright.width, upright.height)


def load_with_original(
    source: Source, preprocessing: Preprocessing
) -> tuple[FittedImage, Uint8Image]:
    """Read one image as `load_image` does, and at full size: uint8 (height, width, 3).

    What is read first may be a JPEG decoded at a reduced size, so that the network sees the
    very pixels that `load_image` gives it.

    Raises:
        ImageError: it cannot be read.
    """
    content = source.read()
    upright = open_image(content, preprocessing.least_size)
    width, height = upright.width, upright.height
    fitted = FittedImage(preprocessing.fit(upright.image), width, height)
    if upright.image.size != (width, height):
        upright = open_image(content)
    return fitted, np.asarray(upright.image)


def software_of(path: str) -> str:
    """Return which program an image file says has written it; "" if it is no image or silent."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return str(image.getexif().get(SOFTWARE_TAG, ""))
    except _DECODE_ERRORS:
        return ""


def load_batch(sources: Sequence[Source], preprocessing: Preprocessing) -> Float32Array:
    """Read images into a batch, float32 (n, size, size, 3), scaled.

    Raises:
        ImageError: one of them cannot be read.
    """
    return preprocessing.scale(
        np.stack([load_image(source, preprocessing).pixels for source in sources])
    )


def _upright_rgb(
    image: Image.Image, least_size: Callable[[int, int], tuple[int, int] | None] | None
) -> UprightImage:
    turned = _orientation(image) >= 5 and image.format != "TIFF"  # Pillow has turned TIFFs
    width, height = image.size[::-1] if turned else image.size
    least = least_size(width, height) if least_size else None
    if least:
        # Only JPEG heeds this: its blocks decode at 1/2, 1/4 or 1/8 of the size.
        image.draft(None, least[::-1] if turned else least)
    image.load()
    # After load: Pillow turns TIFFs itself and removes the tag.
    orientation = _orientation(image)
    rgb = _rgb(image)
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
    return UprightImage(rgb, width, height)


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image)
        grey = _to_8_bit(values, image.mode)
        clear = image.info.get("transparency")  # the one value that a PNG says to see through
        if isinstance(clear, int):
            grey[values == clear] = 255
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", rgba.size, (255, 255, 255))
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB") if image.mode != "RGB" else image


def _to_8_bit(values: np.ndarray, mode: str) -> Uint8Image:
    """Scale grey values of more than 8 bits to 0..255.

    16-bit: 65535 is white. Floats: 1 or 255 is white where that bounds them. All others, 32-bit
    integers above 65535 too, are stretched from their least to their greatest value.
    """
    numbers = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(numbers.min()), float(numbers.max())
    if mode == "F" and low >= 0 and high <= 255:
        white = 1.0 if high <= 1 else 255.0
        low = 0.0
    elif mode != "F" and low >= 0 and high <= 65535:
        low, white = 0.0, 65535.0
    else:
        white = high - low or 1.0
    return np.rint((numbers - low) * (255.0 / white)).astype(np.uint8)


def _reason(error: BaseException, format_name: str) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"too large: at most {MAX_PIXELS // 10**6} megapixels"
    if isinstance(error, MemoryError):
        return "too large for the memory that is free"
    text = " ".join(str(error).split())
    if "truncated" in text.lower():
        return f"truncated {format_name}".rstrip()
    return f"damaged {format_name or 'image'}" + (f" ({text})" if text else "")


def _register_heic() -> None:
    try:
        import pillow_heif
    except ImportError:
        raise ImageError("HEIC is read with the extra imgcls[heic]; install it") from None
    pillow_heif.register_heif_opener()


def _heic_formats() -> list[str]:
    return ["HEIF"] if "HEIF" in Image.OPEN else []

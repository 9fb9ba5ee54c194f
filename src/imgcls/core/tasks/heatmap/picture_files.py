"""Pictures and maps as files, and how earlier ones are known from all other files."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import OutputError
from imgcls.core.files import atomic_writer
from imgcls.core.pixels.images import SOFTWARE_TAG, software_of
from imgcls.core.version import __version__

_SOFTWARE = "imgcls heatmap"
_PREDICT = "imgcls predict"
_SUBJECT_TAG = 0x010E  # EXIF: what the picture shows
_NUMPY_START = b"\x93NUMPY"

# What a heatmap can be written as: those formats that can say what wrote them. PNG is packed
# by run lengths: on photos as small as the usual way, and in a quarter of the time.
FORMATS: Mapping[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {"compress_type": zlib.Z_RLE}),
    ".jpg": ("JPEG", {"quality": 92}),
    ".jpeg": ("JPEG", {"quality": 92}),
    ".webp": ("WEBP", {"quality": 92}),
    ".tif": ("TIFF", {}),
    ".tiff": ("TIFF", {}),
}


def is_heatmap(path: str) -> bool:
    """Whether a file is a picture that `save_picture` wrote."""
    return software_of(path).startswith(_SOFTWARE)


def not_ours(path: str) -> str | None:
    """Say why a picture must not be written to a path; None if it may."""
    if not os.path.lexists(path) or is_heatmap(path):
        return None
    return "exists and is not an earlier heatmap; name another output"


def is_map(path: str) -> bool:
    """Whether a file is a map that `save_map` could have written."""
    try:
        with open(path, "rb") as file:
            start = file.read(128)
    except OSError:
        return False
    return start.startswith(_NUMPY_START) and b"'<f4'" in start


def save_picture(picture: Image.Image, path: str) -> None:
    """Write a picture in the format of its ending, with a note that says who wrote it.

    Raises:
        OutputError: it cannot be written.
    """
    exif = Image.Exif()
    exif[SOFTWARE_TAG] = f"{_SOFTWARE} {__version__}"
    _save(picture, path, exif)


def save_drawn_photo(picture: Image.Image, path: str, subject: str) -> None:
    """Write a photo with a label in it, with a note that says who wrote it, of which photo.

    Raises:
        OutputError: it cannot be written.
    """
    exif = Image.Exif()
    exif[SOFTWARE_TAG] = f"{_PREDICT} {__version__}"
    exif[_SUBJECT_TAG] = subject
    _save(picture, path, exif)


def is_drawn_photo(path: str, subject: str) -> bool:
    """Whether a file is what `save_drawn_photo` wrote of the same photo."""
    try:
        with Image.open(path) as image:
            exif = image.getexif()
    except Exception:  # whatever a parser stumbles over: then it is none
        return False
    is_ours = str(exif.get(SOFTWARE_TAG, "")).startswith(_PREDICT)
    return is_ours and exif.get(_SUBJECT_TAG) == subject


def _save(picture: Image.Image, path: str, exif: Image.Exif) -> None:
    format_name, options = FORMATS[os.path.splitext(path)[1].lower()]
    if "dpi" in picture.info:
        options = {**options, "dpi": picture.info["dpi"]}
    if format_name == "PNG":
        # The first bytes tell a heatmap from a photo, so that folder walks need read no more.
        options = {**options, "pnginfo": PngInfo()}
        options["pnginfo"].add_text("Software", _SOFTWARE)
    with atomic_writer(Path(path)) as file:
        try:
            picture.save(file, format_name, exif=exif, **options)
        except ValueError as error:  # WebP and JPEG have a greatest size
            raise OutputError(f"{path}: cannot be written: {error}; write a .png") from error


def save_map(cam: Float32Array, path: str) -> None:
    """Write a map as .npy.

    Raises:
        OutputError: it cannot be written.
    """
    with atomic_writer(Path(path)) as file:
        np.save(file, cam)


def make_folder(path: str) -> None:
    """Make a folder and those above it, if they are not there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made: {error.strerror}") from error

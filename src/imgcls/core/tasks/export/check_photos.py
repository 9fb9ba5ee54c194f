"""The photos that an exported model is compared on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from imgcls.core.pixels.library_photos import library_photos
from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image


def check_pixels(preprocessing: Preprocessing) -> Uint8Image:
    """Return eight views of the two photos that come with scikit-learn, as a network sees them.

    Returns:
        uint8 (8, size, size, 3).
    """
    views = [view for photo in library_photos() for view in _views(photo)]
    return np.stack([preprocessing.fit(view) for view in views])


def _views(path: str) -> Iterator[Image.Image]:
    with Image.open(path) as file:
        photo = file.convert("RGB")
    width, height = photo.size
    yield photo
    yield photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    yield photo.crop((0, 0, width // 2, height // 2))
    yield photo.crop((width // 2, height // 2, width, height))

"""The photos that an exported model is compared on."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image


def check_pixels(preprocessing: Preprocessing) -> Uint8Image:
    """Return eight views of the two photos that come with scikit-learn, as a network sees them.

    Returns:
        uint8 (8, size, size, 3).
    """
    return np.stack([preprocessing.fit(view) for photo in _photos() for view in _views(photo)])


def _photos() -> Iterator[Image.Image]:
    package = importlib.util.find_spec("sklearn")
    (place,) = (package.submodule_search_locations if package else None) or [""]
    for name in ("china.jpg", "flower.jpg"):
        with Image.open(Path(place, "datasets", "images", name)) as photo:
            yield photo.convert("RGB")


def _views(photo: Image.Image) -> Iterator[Image.Image]:
    width, height = photo.size
    yield photo
    yield photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    yield photo.crop((0, 0, width // 2, height // 2))
    yield photo.crop((width // 2, height // 2, width, height))

"""Conversion in strips; what it gives of each mode: test_images.py."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imgcls.core.pixels import decode, rgb
from imgcls.core.pixels.images import open_image


def encoded(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(open_image(content).image)


def test_strips_are_joined_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 65536, (37, 53), np.uint16))
    palette = Image.fromarray(random.integers(0, 256, (37, 53, 4), np.uint8))
    contents = [encoded(image), encoded(palette)]
    whole = [pixels(content) for content in contents]
    monkeypatch.setattr(rgb, "_STRIP", 53 * 5)
    for content, expected in zip(contents, whole, strict=True):
        np.testing.assert_array_equal(pixels(content), expected)
    monkeypatch.setattr(decode, "_REDUCED_ABOVE", 100)
    for content, expected in zip(contents, whole, strict=True):
        opened = open_image(content, lambda *_: (13, 9))
        np.testing.assert_array_equal(
            np.asarray(opened.image), np.asarray(Image.fromarray(expected).reduce(4))
        )

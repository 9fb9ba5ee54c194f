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


@pytest.mark.parametrize("turn", [1, 6])
def test_grey_stays_grey_where_colours_may_be_left_out(turn: int) -> None:
    values = np.random.default_rng(0).integers(0, 256, (37, 53), np.uint8)
    content = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(values).save(content, "PNG", exif=exif)
    grey, colour = (open_image(content.getvalue(), grey=grey).image for grey in (True, False))
    assert (grey.mode, colour.mode) == ("L", "RGB")
    np.testing.assert_array_equal(np.asarray(grey), np.asarray(colour.convert("L")))
    assert grey.size == ((53, 37) if turn == 1 else (37, 53))


def test_what_is_clear_in_grey_is_laid_on_white() -> None:
    content = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(content, "PNG", transparency=0)
    assert np.asarray(open_image(content.getvalue(), grey=True).image.convert("L")).min() == 255

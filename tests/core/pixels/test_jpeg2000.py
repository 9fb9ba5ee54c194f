"""JPEG 2000, decoded at a half, a quarter and so on."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.jpeg2000 import Codestream, codestream
from imgcls.core.pixels.preprocessing import Preprocessing


def encoded(image: Image.Image, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG2000", **options)
    return content.getvalue()


def smooth(width: int, height: int) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 5, height))
    planes = [127 + 100 * np.sin(x + phase) * np.cos(y - phase) for phase in (0.0, 1.0, 2.0)]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


def test_main_header() -> None:
    image = smooth(300, 200)
    assert codestream(encoded(image)) == Codestream(5, 60_000)
    assert codestream(encoded(image, num_resolutions=3, no_jp2=True)) == Codestream(2, 60_000)
    assert codestream(encoded(image, tile_size=(64, 32))) == Codestream(5, 2048)
    assert codestream(b"no image") == codestream(encoded(image)[:100]) == Codestream(0, 0)


@pytest.mark.parametrize("resolutions", [1, 2, 6])
def test_reduced_decoding(resolutions: int) -> None:
    content = encoded(smooth(2201, 1501), num_resolutions=resolutions)
    preprocessing = Preprocessing(224, 256, "none", "bicubic")
    full, reduced = open_image(content), open_image(content, preprocessing.least_size)
    assert full.image.size == (full.width, full.height) == (2201, 1501)
    assert (reduced.width, reduced.height) == (2201, 1501)
    assert reduced.image.size == ((2201, 1501) if resolutions == 1 else (1101, 751))
    one, other = preprocessing.fit(reduced.image), preprocessing.fit(full.image)
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 4

"""Geometry worked out by hand. Scaling against Keras: tests/core/models/test_table.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import (
    INTERPOLATIONS,
    PAD_COLOR,
    RESIZES,
    SCALINGS,
    Box,
    Preprocessing,
    Scaling,
)
from imgcls.core.pixels.sources import Source


def columns(width: int, height: int) -> Image.Image:
    """Return an image whose red is the column and whose green is the row."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(np.stack([x, y, np.zeros_like(x)], -1).astype(np.uint8))


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        pytest.param(16, 8, Box(5, 1, 11, 7), id="wide"),  # side 8·6/8 = 6 in the middle
        pytest.param(8, 16, Box(1, 5, 7, 11), id="high"),
        pytest.param(8, 8, Box(1, 1, 7, 7), id="square"),
        pytest.param(4, 4, Box(0.5, 0.5, 3.5, 3.5), id="between pixels"),
    ],
)
def test_seen_box_of_crop(width: int, height: int, box: Box) -> None:
    assert Preprocessing(6, 8, "none").seen_box(width, height) == box


@pytest.mark.parametrize("resize", ["squash", "pad"])
def test_seen_box_of_the_whole_image(resize: str) -> None:
    preprocessing = Preprocessing(6, 8, "none", resize=resize)  # type: ignore[arg-type]
    assert preprocessing.seen_box(16, 9) == Box(0, 0, 16, 9)


def test_crop_without_margin_takes_the_shorter_side() -> None:
    assert Preprocessing(6, 6, "none").seen_box(16, 8) == Box(4, 0, 12, 8)


def test_crop_takes_the_middle_pixel_for_pixel() -> None:
    # Shorter side 8 to 8, of which the middle 6: nothing is resampled.
    for interpolation in INTERPOLATIONS:
        pixels = Preprocessing(6, 8, "none", interpolation).fit(columns(16, 8))
        assert pixels.shape == (6, 6, 3)
        assert pixels[0, :, 0].tolist() == [5, 6, 7, 8, 9, 10]
        assert pixels[:, 0, 1].tolist() == [1, 2, 3, 4, 5, 6]


def test_crop_resizes_at_once() -> None:
    # Shorter side 16 to 8: two columns become one. The middle 12 of 32 columns begin at 10,
    # so with bilinear the mean of 9, 10, 11, 12 weighted 1, 3, 3, 1 rounds 10.5 up.
    pixels = Preprocessing(6, 8, "none").fit(columns(32, 16))
    inner = pixels[2, 1:-1, 0].astype(int)
    np.testing.assert_allclose(inner, [12.5, 14.5, 16.5, 18.5], atol=0.5)
    inner_rows = pixels[1:-1, 2, 1].astype(int)
    np.testing.assert_allclose(inner_rows, [4.5, 6.5, 8.5, 10.5], atol=0.5)


def test_squash_shows_the_whole_image() -> None:
    nearest = Preprocessing(4, 8, "none", "nearest", "squash")
    pixels = nearest.fit(columns(16, 8))
    # The middle of each of four steps of 4 columns and 2 rows.
    assert pixels[0, :, 0].tolist() == [2, 6, 10, 14]
    assert pixels[:, 0, 1].tolist() == [1, 3, 5, 7]


def test_pad_shows_the_whole_image_between_grey_bars() -> None:
    pixels = Preprocessing(8, 8, "none", "nearest", "pad").fit(columns(16, 8))
    assert (pixels[:2] == PAD_COLOR).all()
    assert (pixels[-2:] == PAD_COLOR).all()
    assert pixels[2, :, 0].tolist() == [1, 3, 5, 7, 9, 11, 13, 15]
    assert pixels[2:6, 0, 1].tolist() == [1, 3, 5, 7]


def test_pad_of_a_high_image_has_bars_at_the_sides() -> None:
    pixels = Preprocessing(8, 8, "none", "nearest", "pad").fit(columns(4, 16))
    assert (pixels[:, :3] == PAD_COLOR).all()
    assert (pixels[:, -3:] == PAD_COLOR).all()
    assert pixels[:, 3, 1].tolist() == [1, 3, 5, 7, 9, 11, 13, 15]


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
def test_any_shape_fits(resize: str, size: tuple[int, int]) -> None:
    preprocessing = Preprocessing(32, 36, "none", "bicubic", resize)  # type: ignore[arg-type]
    pixels = preprocessing.fit(Image.new("RGB", size, (10, 20, 30)))
    assert pixels.shape == (32, 32, 3)
    assert pixels[15, 15].tolist() == [10, 20, 30]


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("resize", RESIZES)
def test_an_even_color_stays(resize: str, interpolation: str) -> None:
    preprocessing = Preprocessing(8, 10, "none", interpolation, resize)  # type: ignore[arg-type]
    pixels = preprocessing.fit(Image.new("RGB", (20, 20), (1, 128, 254)))
    assert (pixels == (1, 128, 254)).all()


@pytest.mark.parametrize("scaling", SCALINGS)
def test_scale_never_writes_into_its_argument(scaling: Scaling) -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    kept = pixels.copy()
    batch = Preprocessing(4, 4, scaling).scale(pixels)
    assert batch.dtype == np.float32
    assert batch.shape == pixels.shape
    batch += 1
    np.testing.assert_array_equal(pixels, kept)
    floats = kept.astype(np.float32)
    SCALINGS[scaling].scale(floats)  # type: ignore[arg-type]
    np.testing.assert_array_equal(floats, kept.astype(np.float32))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_scale_is_its_own_mean_and_deviation(scaling: Scaling) -> None:
    row = SCALINGS[scaling]
    pixels = np.arange(240, dtype=np.uint8).reshape(1, 8, 10, 3)
    channels = pixels[..., ::-1] if row.bgr else pixels
    expected = (channels - np.array(row.mean)) / np.array(row.std)
    np.testing.assert_allclose(row.scale(pixels), expected, atol=2e-5)


def test_fit_leaves_the_image_alone() -> None:
    image = columns(16, 8)
    before = image.tobytes()
    for resize in RESIZES:
        Preprocessing(6, 8, "none", "bicubic", resize).fit(image)
    assert image.tobytes() == before


@pytest.mark.parametrize(
    ("resize", "interpolation", "least"),
    [
        # Twice what it is resized to, at the image's own shape, rounded up.
        ("crop", "bicubic", (683, 512)),  # shorter side 2·256
        ("squash", "bicubic", (448, 448)),
        ("pad", "lanczos", (448, 336)),  # longer side 2·224
        ("crop", "nearest", None),
    ],
)
def test_least_size(resize: str, interpolation: str, least: tuple[int, int] | None) -> None:
    preprocessing = Preprocessing(224, 256, "none", interpolation, resize)  # type: ignore[arg-type]
    assert preprocessing.least_size(4000, 3000) == least


@pytest.mark.parametrize("photo", ["cat.jpg", "palace.jpg", "rocket.jpg"])
def test_squash_and_nearest_is_load_img(photo: str, samples: Path) -> None:
    from keras.utils import img_to_array, load_img

    path = samples / photo
    for size in (224, 331):
        preprocessing = Preprocessing(size, size, "none", "nearest", "squash")
        fitted = load_image(Source(str(path)), preprocessing)
        expected = img_to_array(load_img(path, target_size=(size, size)))
        np.testing.assert_array_equal(fitted.pixels, expected)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos"])
def test_squash_is_load_img_with_the_same_filter(interpolation: str, samples: Path) -> None:
    from keras.utils import img_to_array, load_img

    path = samples / "cat.jpg"  # smaller than twice the target: not reduced
    preprocessing = Preprocessing(224, 256, "none", interpolation, "squash")  # type: ignore[arg-type]
    fitted = load_image(Source(str(path)), preprocessing)
    expected = img_to_array(load_img(path, target_size=(224, 224), interpolation=interpolation))
    np.testing.assert_array_equal(fitted.pixels, expected)
    assert (fitted.width, fitted.height) == (451, 300)


def test_in_words() -> None:
    crop = Preprocessing(224, 256, "lite", "bicubic")
    assert (
        crop.in_words() == "shorter side to 256, centre crop 224×224, bicubic; RGB, (x − 127) / 128"
    )
    squash = Preprocessing(224, 256, "tf", "nearest", "squash")
    assert squash.in_words() == "squashed to 224×224, nearest; RGB, x / 127.5 − 1"


@pytest.mark.parametrize(
    ("resize", "side", "shape"),
    [("crop", 320, (6, 6)), ("crop", 3, (3, 3)), ("squash", 8, (4, 8)), ("pad", 320, (8, 16))],
)
def test_a_view_is_undistorted_and_never_enlarged(
    resize: str, side: int, shape: tuple[int, int]
) -> None:
    preprocessing = Preprocessing(6, 8, "none", resize=resize)  # type: ignore[arg-type]
    seen = preprocessing.view(columns(16, 8), side)
    assert seen.shape == (*shape, 3)
    if shape == (6, 6):  # columns 5 to 10 and rows 1 to 6, as they are
        np.testing.assert_array_equal(seen[0, :, 0], range(5, 11))
        np.testing.assert_array_equal(seen[:, 0, 1], range(1, 7))


def test_a_view_makes_no_other_pixels(samples: Path) -> None:
    source, preprocessing = Source(str(samples / "cat.jpg")), Preprocessing(64, 64, "none")
    fitted = load_image(source, preprocessing)
    with_view = load_image(source, preprocessing, 100)
    assert fitted.view is None
    assert with_view.view is not None and with_view.view.shape == (100, 100, 3)
    np.testing.assert_array_equal(with_view.pixels, fitted.pixels)

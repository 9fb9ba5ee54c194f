from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.pixels.preprocessing import Box, Preprocessing
from imgcls.core.tasks.heatmap.upsample import bicubic, bilinear, pixels_inside, upsample


def test_bilinear_on_paper() -> None:
    cam = np.array([[0, 4], [8, 12]], np.float32) / 12
    # Centres of four pixels on two cells: -0.25, 0.25, 0.75, 1.25; the outer ones hold the edge.
    expected = [[0, 1, 3, 4], [2, 3, 5, 6], [6, 7, 9, 10], [8, 9, 11, 12]]
    np.testing.assert_allclose(upsample(cam, 4, 4, kernel=bilinear) * 12, expected, atol=1e-6)


def test_bicubic_on_paper() -> None:
    # Half a step from two values Keys' cubic weights them by 9/16, those beyond by -1/16.
    np.testing.assert_allclose(bicubic(np.float32([0, 0.5, 1, 1.5, 2])), [1, 9 / 16, 0, -1 / 16, 0])
    cam = np.float32([[0, 0.5, 0.5, 0]])
    upsampled = upsample(cam, 12, 1)[0]  # every third pixel is in the middle of a value
    np.testing.assert_allclose(upsampled[1::3], cam[0], atol=1e-6)
    middle = upsample(cam, 8, 1)[0]
    # At 1.25 and 1.75: the weights of Keys' cubic at distances of 1/4, 3/4, 5/4 and 7/4.
    near, next_, beyond, last = bicubic(np.float32([0.25, 0.75, 1.25, 1.75]))
    np.testing.assert_allclose(middle[3], 0.5 * (near + next_), rtol=1e-6)
    assert beyond < 0 and last < 0 and middle.max() <= 1


def test_what_a_cubic_goes_beyond_is_cut_off() -> None:
    cam = np.float32([[0, 0, 1, 1, 0, 0]])
    upsampled = upsample(cam, 60, 1)
    assert upsampled.min() == 0 and upsampled.max() == 1


def test_a_map_larger_than_the_picture_is_averaged_down() -> None:
    cam = np.float32([[0, 1] * 8])
    np.testing.assert_allclose(upsample(cam, 4, 1)[0, 1:3], 0.5, atol=0.02)


def test_enlarging_into_a_box_leaves_the_rest_zero() -> None:
    cam = np.array([[1, 1], [1, 1]], np.float32)
    upsampled = upsample(cam, 6, 4, Box(1, 0, 5, 4))
    np.testing.assert_allclose(upsampled, np.tile([0, 1, 1, 1, 1, 0], (4, 1)), atol=1e-6)


def test_a_box_beyond_the_image_is_cut_off() -> None:
    cam = np.array([[0.5], [0.75], [0.75], [0.9]], np.float32)
    np.testing.assert_array_equal(upsample(cam, 1, 2, Box(0, -1, 1, 3)), [[0.75], [0.75]])


@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("width", "height"), [(61, 83), (4, 3)])
def test_equals_tensorflow_on_odd_sizes(method: str, width: int, height: int) -> None:
    import tensorflow as tf

    cam = np.random.default_rng(0).random((7, 5), np.float32)
    resized = tf.image.resize(cam[..., np.newaxis], (height, width), method, antialias=True)
    kernel = {"bilinear": bilinear, "bicubic": bicubic}[method]
    upsampled = upsample(cam, width, height, kernel=kernel)
    np.testing.assert_allclose(upsampled, np.clip(resized[..., 0], 0, 1), atol=1e-5)


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [(0, 4, (0, 4)), (0.4, 3.6, (0, 4)), (0.6, 3.4, (1, 3)), (-2, 9, (0, 4))],
)
def test_a_pixel_is_inside_if_its_centre_is(
    start: float, end: float, inside: tuple[int, int]
) -> None:
    assert pixels_inside(start, end, 4) == slice(*inside)


def test_the_canvas_of_a_padded_image_reaches_beyond_it() -> None:
    padded = Preprocessing(224, 256, "tf", resize="pad")
    assert padded.canvas_box(400, 200) == Box(0, -100, 400, 300)
    assert padded.seen_box(400, 200) == Box(0, 0, 400, 200)


@pytest.mark.parametrize("resize", ["crop", "squash"])
def test_the_canvas_of_others_is_what_they_see(resize: str) -> None:
    other = Preprocessing(224, 256, "tf", resize=resize)  # type: ignore[arg-type]
    assert other.canvas_box(400, 200) == other.seen_box(400, 200)

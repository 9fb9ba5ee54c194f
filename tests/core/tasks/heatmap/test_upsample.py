from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.pixels.preprocessing import Box, Preprocessing
from imgcls.core.tasks.heatmap.upsample import pixels_inside, upsample


def test_enlarging_is_bilinear_on_paper() -> None:
    cam = np.array([[0, 4], [8, 12]], np.float32)
    # Centres of four pixels on two cells: -0.25, 0.25, 0.75, 1.25; the outer ones hold the edge.
    expected = [[0, 1, 3, 4], [2, 3, 5, 6], [6, 7, 9, 10], [8, 9, 11, 12]]
    np.testing.assert_allclose(upsample(cam, 4, 4), expected)


def test_enlarging_into_a_box_leaves_the_rest_zero() -> None:
    cam = np.array([[1, 1], [1, 1]], np.float32)
    upsampled = upsample(cam, 6, 4, Box(1, 0, 5, 4))
    np.testing.assert_array_equal(upsampled, np.tile([0, 1, 1, 1, 1, 0], (4, 1)))


def test_a_box_beyond_the_image_is_cut_off() -> None:
    cam = np.array([[5], [7], [7], [9]], np.float32)
    np.testing.assert_array_equal(upsample(cam, 1, 2, Box(0, -1, 1, 3)), [[7], [7]])


def test_equals_tensorflow_on_odd_sizes() -> None:
    import tensorflow as tf

    cam = np.random.default_rng(0).random((7, 5), np.float32)
    expected = tf.image.resize(cam[..., np.newaxis], (61, 83))[..., 0]
    np.testing.assert_allclose(upsample(cam, 83, 61), expected, atol=1e-6)


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

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.pixels.preprocessing import Box
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.drawing import draw_overlay, overlay
from imgcls.core.tasks.heatmap.explanation import Explanation


def explanation(cam: Any, method: str = "gradcam") -> Explanation:
    image = np.full((100, 200, 3), 100, np.uint8)
    return Explanation(
        path="cat.jpg",
        model="efficientnet-lite0",
        method=method,
        layer="top_activation",
        prediction=Prediction(1, "n02123159", "tiger_cat", 0.38),
        class_index=282,
        versus=None,
        image=image,
        cam=np.broadcast_to(np.float32(cam), image.shape[:2]),
        seen=Box(50, 0, 150, 100),
    )


def test_only_what_the_model_saw_is_coloured() -> None:
    image = np.full((4, 6, 3), 100, np.uint8)
    cam = np.zeros((4, 6), np.float32)
    cam[:, 1:5] = 1
    drawn = overlay(image, cam, Box(0.6, 0, 5.4, 4), alpha=0.4)
    np.testing.assert_array_equal(drawn[:, [0, 5]], image[:, [0, 5]])
    # 60 + 0.4 · (127, 0, 0)
    np.testing.assert_allclose(drawn[:, 1:5], np.broadcast_to([110.8, 60, 60], (4, 4, 3)), atol=1)


@pytest.mark.parametrize(("strength", "part"), [(0, 0), (0.5, 0.35), (1, 0.7)])
def test_the_colour_is_as_strong_as_the_evidence(strength: float, part: float) -> None:
    image = np.full((1, 2, 3), 100, np.uint8)
    cam = np.float32([[strength, 1]])
    drawn = overlay(image, cam, Box(0, 0, 2, 1), alpha="evidence", colormap="gray")
    expected = 100 + part * (255 * strength - 100)
    np.testing.assert_allclose(drawn[0, 0], expected, atol=1)


def test_maps_of_single_pixels_lay_no_veil_over_the_image() -> None:
    # A veil of jet's darkest blue, which stands for no evidence, and 40% of it by default.
    cam = np.zeros((100, 200), np.float32)
    cam[50, 100] = 1
    veiled = np.asarray(draw_overlay(explanation(cam)))
    assert veiled[10, 60].tolist() == [60, 60, 110]
    clear = np.asarray(draw_overlay(explanation(cam, "integrated-gradients")))
    assert clear[10, 60].tolist() == [100, 100, 100]
    assert clear[50, 100].tolist() == [127, 0, 0]
    asked = draw_overlay(explanation(cam, "smoothgrad"), alpha=0.4)
    np.testing.assert_array_equal(np.asarray(asked), veiled)


def test_the_image_is_not_written_to() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    image.flags.writeable = False
    drawn = overlay(image, np.ones((2, 2), np.float32), Box(0, 0, 2, 2), alpha=1)
    np.testing.assert_array_equal(drawn, np.broadcast_to([127, 0, 0], (2, 2, 3)))
    assert (image == 100).all()


def test_no_evidence_is_drawn_as_no_colour() -> None:
    asked = explanation(0)
    np.testing.assert_array_equal(np.asarray(draw_overlay(asked)), asked.image)


def test_an_overlay_has_the_size_of_its_image() -> None:
    assert draw_overlay(explanation(1)).size == (200, 100)

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from imgcls.core.engines.model import load_model
from imgcls.core.tasks.heatmap.faithfulness import Faithfulness, measure_faithfulness
from imgcls.core.tasks.heatmap.method_inputs import blurred, grey_pixel, run_scores


def left_half(images: Iterable[Any]) -> Any:
    """Score how much of an image's left half is white."""
    return np.array([(image[:, :32, 0] > 250).mean() for image in images])


def measured(image: Any, blur: Any, cam: Any) -> Faithfulness:
    grey = np.full(3, 128, np.float32)
    return measure_faithfulness(left_half, image, grey, blur, np.array(cam, np.float32))


@pytest.mark.parametrize(
    ("cam", "deletion", "insertion"),
    [
        # All goes in the first half of the steps, in a straight line: a triangle of 1/4. And it
        # comes in the first half, and stays: 1/4 + 1/2.
        ([[1, 0]], 0.25, 0.75),
        ([[0, 1]], 0.75, 0.25),
    ],
)
def test_areas_on_paper(cam: Any, deletion: float, insertion: float) -> None:
    white, black = np.full((64, 64, 3), 255, np.float32), np.zeros((64, 64, 3), np.float32)
    result = measured(white, black, cam)
    assert result.deletion == pytest.approx(deletion, abs=0.01)
    assert result.insertion == pytest.approx(insertion, abs=0.01)


def test_the_image_is_not_written_to() -> None:
    image = np.full((64, 64, 3), 255, np.float32)
    image.flags.writeable = False
    assert measured(image, image, [[1, 0]]).insertion == pytest.approx(1)


def test_blurred_leaves_no_stripes() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 254
    inner = blurred(stripes)[:, 8:-8]
    np.testing.assert_allclose(inner, np.full_like(inner, 127), atol=8)


def test_a_true_map_is_more_faithful_than_its_opposite(samples: Any) -> None:
    from imgcls.core.pixels.images import load_image
    from imgcls.core.pixels.sources import Source

    model = load_model()
    pixels = load_image(Source(str(samples / "coffee.jpg")), model.preprocessing).pixels
    cup = np.zeros((7, 7), np.float32)
    cup[0:5, 1:6] = 1
    scale = model.preprocessing.scale
    true, false = (
        measure_faithfulness(
            lambda images: run_scores(model, images, 967),
            scale(pixels),
            grey_pixel(model.preprocessing),
            scale(blurred(pixels)),
            cam,
        )
        for cam in (cup, 1 - cup)
    )
    assert true.deletion < false.deletion
    assert true.insertion > false.insertion

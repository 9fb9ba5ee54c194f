from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from imgcls.core.models.exported_description import ExportedDescription, scaled_as_described
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.preprocessing import SCALINGS, Preprocessing, Scaling

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
LABELS = (ClassLabel("n1", "cat"), ClassLabel("n2", "dog"))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_mean_and_std_are_those_of_the_scaling(scaling: Scaling) -> None:
    made = Preprocessing(4, 5, scaling)
    bgr = SCALINGS[scaling].bgr
    described = ExportedDescription("m", made, LABELS, takes_bgr=bgr).to_json()
    described = json.loads(json.dumps(described))
    np.testing.assert_allclose(
        scaled_as_described(PIXELS, described), made.scale(PIXELS), rtol=1e-5, atol=1e-5
    )


def test_a_model_that_scales_itself_takes_pixels() -> None:
    described = ExportedDescription("m", Preprocessing(4, 5, "caffe"), LABELS, True).to_json()
    assert scaled_as_described(PIXELS, described) is PIXELS
    assert (described["channels"], described["mean"], described["std"]) == ("RGB", [0] * 3, [1] * 3)
    assert (described["labels"], described["class_ids"]) == (["cat", "dog"], ["n1", "n2"])


@pytest.mark.parametrize("shape", [(40, 30), (30, 47), (32, 32)])
def test_the_border_gives_our_crop(shape: tuple[int, int]) -> None:
    made = Preprocessing(24, 27, "tf", "bicubic")
    random = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    image = Image.fromarray(random)
    border = ExportedDescription("m", made, LABELS).to_json()["border"]
    fitted = ImageOps.fit(image, (24, 24), Image.Resampling.BICUBIC, bleed=border)
    np.testing.assert_array_equal(np.asarray(fitted), made.fit(image))

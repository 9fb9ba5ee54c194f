from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from imgcls.core.models.exported_description import (
    ExportedDescription,
    description_beside,
    distinct_labels,
    scaled_as_described,
)
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


def test_labels_of_several_classes_get_their_ids() -> None:
    labels = (ClassLabel("n1", "crane"), ClassLabel("n2", "dog"), ClassLabel("n3", "crane"))
    described = ExportedDescription("m", Preprocessing(4, 4, "tf"), labels).to_json()
    assert distinct_labels(described) == ["crane (n1)", "dog", "crane (n3)"]


def test_what_lies_beside_a_model(tmp_path: Path) -> None:
    model, beside = tmp_path / "m.keras", tmp_path / "m.keras.json"
    assert description_beside(model) is None
    beside.write_text("{}")  # somebody else's
    assert description_beside(model) is None
    described = ExportedDescription("m", Preprocessing(4, 5, "tf"), LABELS).to_json()
    beside.write_text(json.dumps(described))
    assert description_beside(model) == described
    beside.write_text(json.dumps(described | {"resize_to": 10**9}))
    with pytest.raises(ValueError, match="does not say how images become the input"):
        description_beside(model)

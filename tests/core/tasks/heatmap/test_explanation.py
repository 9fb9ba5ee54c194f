"""An answer, and whether there is anything in it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgcls.core.errors import OutputError, UsageError
from imgcls.core.pixels.preprocessing import Box
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.explanation import Explanation, Unexplained

CAT = Prediction(1, "n02123159", "tiger_cat", 0.5)


def explanation(image: Any, cam: Any) -> Explanation:
    height, width = cam.shape
    seen = Box(0, 0, width, height)
    return Explanation("a.jpg", "m", "gradcam", "l", CAT, 282, None, image, cam, seen)


@pytest.fixture
def found() -> Explanation:
    return explanation(np.full((20, 30, 3), 100, np.uint8), np.ones((20, 30), np.float32))


@pytest.mark.parametrize(("highest", "any_evidence"), [(0, False), (1e-30, True), (1, True)])
def test_evidence_is_any_place_above_zero(highest: float, any_evidence: bool) -> None:
    cam = np.zeros((2, 3), np.float32)
    cam[1, 2] = highest
    image = np.zeros((2, 3, 3), np.uint8)
    found = explanation(image, cam)
    assert found.has_evidence is any_evidence
    assert (found.faithfulness, found.error) == (None, None)


def test_both_answers_have_a_path_and_an_error() -> None:
    bad = Unexplained("a.jpg", "empty file")
    assert (bad.path, bad.error) == ("a.jpg", "empty file")


def test_a_notebook_shows_the_panel(found: Explanation) -> None:
    shown = Image.open(io.BytesIO(found._repr_png_()))
    assert shown.format == "PNG"
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(found.panel()))


def test_it_draws_itself(found: Explanation) -> None:
    assert found.overlay().getpixel((5, 5)) == (110, 60, 60)
    assert found.overlay(alpha=0).getpixel((5, 5)) == (100, 100, 100)
    assert found.overlay(alpha=1, colormap="gray").getpixel((5, 5)) == (255, 255, 255)
    assert (found.panel().width, found.panel(dpi=100).width) == (1080, 700)
    with pytest.raises(UsageError, match="`alpha` must be between 0 and 1"):
        found.overlay(alpha=2)


def test_it_saves_itself_as_its_ending_says(found: Explanation, tmp_path: Path) -> None:
    for options, size in (({}, (30, 20)), ({"panel": True, "dpi": 150}, (1050, 335))):
        found.save(tmp_path / "why.png", **options)
        with Image.open(tmp_path / "why.png") as picture:
            assert (picture.size, "dpi" in picture.info) == (size, bool(options))
    found.save(tmp_path / "why.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "why.npy"), found.cam)
    found.save(str(tmp_path / "why.npy"))  # an earlier map is written over


@pytest.mark.parametrize("name", ["photo.png", "photo.npy"])
def test_it_writes_over_nothing_else(name: str, found: Explanation, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists and is not"):
        found.save(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"mine"
    with pytest.raises(UsageError, match=r"why.gif: a heatmap is written as .png, .*or .npy"):
        found.save(tmp_path / "why.gif")

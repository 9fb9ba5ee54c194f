from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.pixels.augment import (
    AUGMENTATIONS,
    Augmentation,
    augment,
    read_augmentation,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


class Drawn(np.random.Generator):
    """A generator that draws what it is told."""

    def __init__(self, flip: float, *values: float) -> None:
        super().__init__(np.random.PCG64())
        self._flip, self._values = flip, np.array([*values, *[0.0] * (9 - len(values))])

    def random(self, *_: object, **__: object) -> float:  # type: ignore[override]
        return self._flip

    def uniform(self, *_: object, **__: object) -> np.ndarray:  # type: ignore[override]
        return self._values


def test_flip() -> None:
    flipped = augment(PIXELS, Augmentation(), Drawn(0.1))
    np.testing.assert_array_equal(flipped, PIXELS[:, ::-1])
    np.testing.assert_array_equal(augment(PIXELS, Augmentation(), Drawn(0.9)), PIXELS)
    kept = augment(PIXELS, Augmentation(flip=False), Drawn(0.1))
    np.testing.assert_array_equal(kept, PIXELS)


def test_shift_takes_pixels_from_there_and_the_nearest_from_outside() -> None:
    moved = augment(PIXELS, Augmentation(shift=0.25), Drawn(0.9, 0, 0, 0, 0, 1.0, 0.5))
    np.testing.assert_array_equal(moved[:-4, :-8], PIXELS[4:, 8:])
    np.testing.assert_array_equal(moved[-4:, :-8], np.tile(PIXELS[-1:, 8:], (4, 1, 1)))
    np.testing.assert_array_equal(moved[:-4, -8:], np.tile(PIXELS[4:, -1:], (1, 8, 1)))
    assert (moved[-4:, -8:] == PIXELS[-1, -1]).all()
    other = augment(PIXELS, Augmentation(shift=0.25), Drawn(0.9, 0, 0, 0, 0, -1.0, -0.5))
    assert (other[:4, :8] == PIXELS[0, 0]).all()


def test_nothing_comes_in_from_outside_that_is_not_in_the_image() -> None:
    pixels = np.full((32, 48, 3), 200, np.uint8)
    row = Augmentation(rotation=40, shift=0.2, shear=20, zoom=0.5)
    for seed in range(20):
        changed = augment(pixels, row, np.random.default_rng(seed))
        assert (changed == 200).all()


def test_quarter_turn() -> None:
    turned = augment(PIXELS, Augmentation(rotation=90), Drawn(0.9, 1.0))
    difference = np.abs(turned.astype(int) - np.rot90(PIXELS).astype(int))
    assert difference.max() <= 1


def test_zoom_keeps_the_centre() -> None:
    pixels = np.zeros((33, 33, 3), np.uint8)
    pixels[16, 16] = 255
    zoomed = augment(pixels, Augmentation(zoom=0.9), Drawn(0.9, 0, 0, 0, 1.0))
    assert zoomed[16, 16].tolist() == [255, 255, 255]
    assert zoomed[14:19, 14:19].astype(int).sum() == zoomed.astype(int).sum() > 3 * 255 * 3


def test_brightness() -> None:
    drawn = Drawn(0.9, 0, 0, 0, 0, 0, 0, -1.0)
    darker = augment(PIXELS, Augmentation(colour=0.5), drawn)
    np.testing.assert_allclose(darker, PIXELS * 0.5, atol=1)


@pytest.mark.parametrize("name", ["light", "full"])
def test_rows(name: str) -> None:
    row = AUGMENTATIONS[name]
    assert row is not None
    before = PIXELS.copy()
    one, same, other = (augment(PIXELS, row, np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.shape == PIXELS.shape and one.dtype == np.uint8
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    np.testing.assert_array_equal(PIXELS, before)


def test_changes_by_name() -> None:
    assert read_augmentation("none") is None
    assert read_augmentation("light") is AUGMENTATIONS["light"]
    assert read_augmentation("rotation=40,shift=0.2, shear=.2,zoom=0.2,flip") == Augmentation(
        flip=True, rotation=40, shift=0.2, shear=0.2, zoom=0.2
    )
    assert read_augmentation("colour=0.1") == Augmentation(flip=False, colour=0.1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wild", "wild is no change; it is none, light, full, or some of rotation=N, shift=N"),
        ("rotation", "rotation is no change"),
        ("flip=1", "flip=1 is no change"),
        ("flip,,zoom=0.1", "nothing is no change"),
        ("zoom=nan", "zoom=nan is no change"),
        ("zoom=-0.1", "zoom=-0.1 is no change"),
        ("light,flip", "light is no change"),
        ("flip,flip", "flip stands there twice"),
        ("zoom=1", "zoom must be 0 to 0.9; it is 1"),
    ],
)
def test_what_is_no_change(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_augmentation(text)

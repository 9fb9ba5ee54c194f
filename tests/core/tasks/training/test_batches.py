"""What a learner is shown: the right label for each input, and the same again for one seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.errors import ImgclsError
from imgcls.core.pixels.augment import Augmentation
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.training.batches import FixedFeatures, Images

COLUMNS = np.array([0, 1, 2, 1, 0])
PREPROCESSING = Preprocessing(8, 8, "none", interpolation="nearest", resize="squash")


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Return five pictures, each left half of its own grey, right half black."""
    for position in range(5):
        pixels = np.zeros((8, 8, 3), np.uint8)
        pixels[:, :4] = 40 * (position + 1)
        Image.fromarray(pixels).save(tmp_path / f"{position}.png")
    return [Source(str(tmp_path / f"{position}.png")) for position in range(5)]


def images(
    sources: list[Source], augmentation: Augmentation | None = None, seed: int = 1
) -> Images:
    return Images(sources, COLUMNS, PREPROCESSING, augmentation, seed)


def test_features_go_with_their_labels_in_the_order_asked_for() -> None:
    examples = FixedFeatures(np.arange(10, dtype=np.float32).reshape(5, 2), COLUMNS)
    batches = [
        (rows.tolist(), columns.tolist()) for rows, columns in examples.batches([3, 0, 2], 2, 1)
    ]
    assert batches == [([[6, 7], [0, 1]], [1, 0]), ([[4, 5]], [2])]
    assert list(examples.batches([], 2, 1)) == []


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_images_go_with_their_labels_in_the_order_asked_for(
    sources: list[Source], size: int
) -> None:
    order = [4, 1, 3, 0, 2]
    batches = list(images(sources).batches(order, size, 1))
    assert [len(columns) for _, columns in batches] == [
        len(order[start : start + size]) for start in range(0, 5, size)
    ]
    shown = np.concatenate([inputs for inputs, _ in batches])
    assert shown.shape == (5, 8, 8, 3) and shown.dtype == np.float32
    assert shown[:, 0, 0, 0].tolist() == [40 * (position + 1) for position in order]
    assert np.concatenate([columns for _, columns in batches]).tolist() == COLUMNS[order].tolist()


def test_a_change_depends_on_seed_epoch_and_position_alone(sources: list[Source]) -> None:
    changes = Augmentation(rotation=90, colour=0.5)

    def shown(seed: int, epoch: int, order: list[int], size: int = 5) -> dict[int, bytes]:
        stream = images(sources, changes, seed).batches(order, size, epoch)
        rows = np.concatenate([inputs for inputs, _ in stream])
        return {position: row.tobytes() for position, row in zip(order, rows, strict=True)}

    first = shown(1, 1, [0, 1, 2, 3, 4])
    assert shown(1, 1, [4, 2, 0, 3, 1], size=2) == first
    for other in (shown(1, 2, [0, 1, 2, 3, 4]), shown(2, 1, [0, 1, 2, 3, 4])):
        assert all(other[position] != first[position] for position in range(5))


def test_epoch_0_shows_images_as_they_are(sources: list[Source]) -> None:
    changes = Augmentation(rotation=90, colour=0.5)
    ((plain, _),) = images(sources).batches([0, 1], 2, 7)
    ((unchanged, _),) = images(sources, changes).batches([0, 1], 2, 0)
    ((changed, _),) = images(sources, changes).batches([0, 1], 2, 1)
    assert np.array_equal(plain, unchanged) and not np.array_equal(plain, changed)


def test_an_image_that_is_gone_since_is_named(sources: list[Source]) -> None:
    Path(sources[2].name).unlink()
    with pytest.raises(ImgclsError, match=r"2\.png"):
        list(images(sources).batches([0, 2], 2, 1))

"""What a training ends with: calibrated scores, and what is familiar."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.models.head import Head
from imgcls.core.tasks.training.batches import FixedFeatures
from imgcls.core.tasks.training.calibration import log_loss
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.trained import FoldFigures, checked_positions, finished

BEST = Epoch("features", 1, 0.5, 0.75, 0.6, 0.7, 1.0)


def side(count: int, seed: int) -> FixedFeatures:
    """Return two classes that the first feature tells apart, but for a tenth of the photos."""
    columns = np.arange(count) % 2
    features = np.random.default_rng(seed).normal(0, 0.1, (count, 4)).astype(np.float32)
    features[:, 0] += 2 * columns - 1
    features[::10, 0] *= -1
    return FixedFeatures(features, columns)


def sure_head() -> Head:
    """Return a head that is far surer than it is right."""
    kernel = np.zeros((4, 2), np.float32)
    kernel[0] = -20, 20
    return Head(((kernel, np.zeros(2, np.float32)),))


def test_a_head_that_is_too_sure_is_tempered() -> None:
    validation = side(100, 1)
    trained = finished(sure_head(), None, BEST, [BEST], side(200, 0), validation)
    assert trained.temperature > 5
    before = log_loss(sure_head().logits(validation.features), validation.columns)
    assert trained.val_loss < 0.4 < before
    np.testing.assert_allclose(
        trained.logits,
        sure_head().logits(validation.features[trained.checked]) / trained.temperature,
        rtol=1e-5,
    )


def test_what_other_heads_say_of_the_training_photos_counts_too() -> None:
    training, validation = side(200, 0), side(10, 1)
    unsure = np.zeros((200, 2), np.float32)
    alone = finished(sure_head(), None, BEST, [BEST], training, validation)
    both = finished(sure_head(), None, BEST, [BEST], training, validation, unsure)
    assert both.temperature != alone.temperature


@pytest.mark.parametrize(("photos", "compared"), [(100, 90), (20, 218)])
def test_few_validation_photos_are_compared_with_the_training_photos_too(
    photos: int, compared: int
) -> None:
    trained = finished(sure_head(), None, BEST, [BEST], side(200, 0), side(photos, 1))
    assert trained.familiarity is not None
    assert len(trained.familiarity.closeness) == compared


@pytest.mark.parametrize("count", [1, 3, 16, 160])
def test_positions_are_spread_evenly(count: int) -> None:
    found = checked_positions(np.zeros(count, np.int64))
    assert found == sorted(set(found))
    assert len(found) == min(16, count) and (found[0], found[-1]) == (0, count - 1)


def test_figures_of_folds() -> None:
    figures = FoldFigures((0.5, 0.75, 1.0), np.zeros((2, 2), np.int64))
    assert (figures.mean, figures.spread) == (0.75, 0.25)

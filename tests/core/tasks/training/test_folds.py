"""Folds that leak nothing, and heads that did not learn what they are asked."""

from __future__ import annotations

import numpy as np

from imgcls.core.tasks.training.batches import FixedFeatures
from imgcls.core.tasks.training.folds import (
    HeadRecipe,
    assign_folds,
    fit_head,
    out_of_fold,
)


def _photos(count: int, seed: int = 0) -> FixedFeatures:
    """Return two classes that the first feature tells apart."""
    columns = np.arange(count) % 2
    features = np.random.default_rng(seed).normal(0, 0.1, (count, 6)).astype(np.float32)
    features[:, 0] += 2 * columns - 1
    return FixedFeatures(features, columns)


def test_folds_hold_the_classes_evenly_and_keep_groups_together() -> None:
    labels = ["a"] * 10 + ["b"] * 20
    groups = [(0, 1), (12, 15, 29)]
    folds = assign_folds(labels, groups, 5, seed=3)
    assert folds[0] == folds[1]
    assert folds[12] == folds[15] == folds[29]
    for label, least in (("a", 1), ("b", 3)):
        mine = folds[[one == label for one in labels]]
        assert np.bincount(mine, minlength=5).min() >= least
    np.testing.assert_array_equal(folds, assign_folds(labels, groups, 5, seed=3))


def test_classes_of_one_photo_are_spread_over_the_folds() -> None:
    assert sorted(assign_folds(["a", "b", "c"], [], 3, 0).tolist()) == [0, 1, 2]


def test_fit_head_learns_what_can_be_learned() -> None:
    head, _ = fit_head(HeadRecipe(classes=2, learning_rate=0.03), _photos(60), _photos(20, seed=1))
    fresh = _photos(40, seed=2)
    np.testing.assert_array_equal(head.logits(fresh.features).argmax(axis=1), fresh.columns)


def test_a_wrong_label_is_contradicted_by_heads_that_did_not_learn_it() -> None:
    photos = _photos(80)
    given = photos.columns.copy()
    given[[4, 9]] = 1 - given[[4, 9]]
    folds = assign_folds([str(column) for column in given], [], 4, seed=0)
    found = out_of_fold(
        HeadRecipe(classes=2, learning_rate=0.03), FixedFeatures(photos.features, given), folds
    )
    np.testing.assert_array_equal(np.flatnonzero(found.logits.argmax(axis=1) != given), [4, 9])
    assert found.accuracies(given, folds) == tuple(
        1 - float(np.isin([4, 9], np.flatnonzero(folds == fold)).sum()) / (folds == fold).sum()
        for fold in range(4)
    )
    assert len(found.epochs) == 4


def test_without_validation_all_epochs_are_learned() -> None:
    head, epochs = fit_head(HeadRecipe(2, learning_rate=0.03, epochs=60), _photos(60), None)
    assert epochs == 60
    photos = _photos(60)
    np.testing.assert_array_equal(head.logits(photos.features).argmax(axis=1), photos.columns)

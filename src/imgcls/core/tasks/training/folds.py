"""What heads say of photos that they did not learn: the out-of-fold logits of a labelled set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.models.head import Head, Standardization
from imgcls.core.progress import progress
from imgcls.core.tasks.training.batches import Columns, FixedFeatures, epoch_order
from imgcls.core.tasks.training.calibration import log_loss
from imgcls.core.tasks.training.head_learner import MLP_DROPOUT, HeadLearner, fresh_head
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.progress import Progress


@dataclass(frozen=True)
class HeadRecipe:
    """How a head is trained on features.

    Attributes:
        classes: how many there are.
        hidden: the widths of its hidden layers.
        dropout: part of the hidden units that is left out in a step.
        epochs: at most.
        learning_rate: of a step.
        batch_size: photos in a step.
        patience: epochs without a lower validation loss after which it ends.
        seed: of all randomness.
        class_weights: how much a photo of each class counts, (classes,); None for all alike.
    """

    classes: int
    hidden: tuple[int, ...] = ()
    dropout: float = MLP_DROPOUT
    epochs: int = 100
    learning_rate: float = 1e-3
    batch_size: int = 32
    patience: int = 5
    seed: int = 0
    class_weights: Float32Array | None = None


@dataclass(frozen=True)
class OutOfFold:
    """What heads say of photos that they did not learn.

    Attributes:
        logits: of each photo, (n, classes).
        epochs: after how many each head was best.
    """

    logits: Float32Array
    epochs: Sequence[int]

    def accuracies(self, columns: Columns, fold_of: Columns) -> tuple[float, ...]:
        """Return the part of each fold that is right."""
        right = self.logits.argmax(axis=1) == columns
        return tuple(float(right[fold_of == fold].mean()) for fold in np.unique(fold_of))


def fit_head(
    recipe: HeadRecipe, training: FixedFeatures, validation: FixedFeatures | None
) -> tuple[Head, int]:
    """Train a head.

    Args:
        recipe: how.
        training: what it learns.
        validation: what the best epoch is chosen by; without it, the last one is taken.

    Returns:
        The head of the best epoch, and which that is.
    """
    standardization = Standardization.of(training.features)
    widths = (training.features.shape[1], *recipe.hidden, recipe.classes)
    learner = HeadLearner(
        Head.of_standardized(fresh_head(widths, recipe.seed).layers, standardization),
        standardization,
        learning_rate=recipe.learning_rate,
        dropout=recipe.dropout,
        seed=recipe.seed,
    )
    weights = recipe.class_weights
    if weights is None:
        weights = np.ones(recipe.classes, np.float32)
    course, kept = Progress(), learner.weights()
    while course.epoch < recipe.epochs and course.waited < recipe.patience:
        course.epoch += 1
        learner.begin_epoch(course.epoch)
        order = epoch_order(len(training.columns), recipe.seed, 0, course.epoch)
        for inputs, columns in training.batches(order, recipe.batch_size, course.epoch):
            learner.learn(inputs, columns, weights[columns])
        if validation is not None and course.note(_judged(learner, validation, course.epoch)):
            kept = learner.weights()
    if course.best is None:
        return learner.head(), course.epoch
    learner.set_weights(kept)
    return learner.head(), course.best.epoch


def _judged(learner: HeadLearner, validation: FixedFeatures, number: int) -> Epoch:
    started = time.monotonic()
    logits, columns = learner.logits(validation.features), validation.columns
    accuracy = float(np.mean(logits.argmax(axis=1) == columns))
    seconds = time.monotonic() - started
    return Epoch("folds", number, None, None, log_loss(logits, columns), accuracy, seconds)


def assign_folds(
    labels: Sequence[str], groups: Sequence[Sequence[int]], folds: int, seed: int
) -> Columns:
    """Deal photos out to folds, class by class; photos of one picture go to the same fold.

    Args:
        labels: of the photos.
        groups: positions of photos that belong together; one not named stands alone.
        folds: how many.
        seed: the same seed deals the same photos in the same way.

    Returns:
        The fold of each photo, int64 (n,), from 0.
    """
    random = np.random.default_rng(seed)
    together = {group[0]: list(group) for group in groups}
    later = {position for group in groups for position in group[1:]}
    fold_of = np.zeros(len(labels), np.int64)
    units = [position for position in range(len(labels)) if position not in later]
    offset = 0
    for label in sorted(set(labels)):
        own = [position for position in units if labels[position] == label]
        for place, index in enumerate(random.permutation(len(own)).tolist()):
            fold_of[together.get(own[index], [own[index]])] = (place + offset) % folds
        offset += len(own)  # so that small classes do not all begin with the first fold
    return fold_of


def out_of_fold(
    recipe: HeadRecipe,
    photos: FixedFeatures,
    fold_of: Columns,
    validation: FixedFeatures | None = None,
) -> OutOfFold:
    """Return what each photo gets from a head that learned the other folds.

    Args:
        recipe: how each head is trained.
        photos: with their classes.
        fold_of: of each photo, from 0.
        validation: to choose the best epoch by; where there is none, the fold that follows the
            one left out is not learned but chooses.
    """
    folds = int(fold_of.max()) + 1
    logits, epochs = np.zeros((len(fold_of), recipe.classes), np.float32), []
    for fold in progress(range(folds), "fold", folds):
        out = fold_of == fold
        choosing = (fold_of == (fold + 1) % folds) if validation is None else out
        learned = ~out & ~choosing
        head, epoch = fit_head(
            recipe,
            FixedFeatures(photos.features[learned], photos.columns[learned]),
            validation or FixedFeatures(photos.features[choosing], photos.columns[choosing]),
        )
        logits[out] = head.logits(photos.features[out])
        epochs.append(epoch)
    return OutOfFold(logits, epochs)

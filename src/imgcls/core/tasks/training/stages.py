"""Run the stages of a training, one learner after the other."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.keras.network_learner import weighted_backbone
from imgcls.core.keras.stored_backbone import backbone_tensors
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.head import Head, Standardization
from imgcls.core.models.model_file import own_weights
from imgcls.core.tasks.labelled.metrics import confusion
from imgcls.core.tasks.training.batches import Columns, FixedFeatures, ImageFeatures
from imgcls.core.tasks.training.calibration import fit_temperature, log_loss
from imgcls.core.tasks.training.checkpoints import Checkpoint, Checkpoints
from imgcls.core.tasks.training.features import cached_features
from imgcls.core.tasks.training.folds import HeadRecipe, assign_folds, fit_head, out_of_fold
from imgcls.core.tasks.training.head_learner import HeadLearner, fresh_head
from imgcls.core.tasks.training.history import Epoch, kept_epoch
from imgcls.core.tasks.training.loop import Loop
from imgcls.core.tasks.training.network_stages import fine_tune, images_of, train_from_scratch
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.progress import Progress
from imgcls.core.tasks.training.selection import LabelledImages, Selection
from imgcls.core.tasks.training.trained import (
    FOLDS,
    FoldFigures,
    Trained,
    checked_positions,
    finished,
)

log = logging.getLogger("imgcls")

_MOST_REFITTED = 5000  # training photos; of more, the validation photos say enough


def train(
    options: FinetuneOptions,
    selection: Selection,
    model: Model | None,
    checkpoints: Checkpoints,
    started: float,
) -> Trained:
    """Run all stages.

    Args:
        options: how to train.
        selection: what to learn.
        model: the open backbone; None to train from scratch.
        checkpoints: where to save the training; all are deleted at the end by the caller.
        started: when the run began, by `time.monotonic`; the time limit counts from there.

    Raises:
        ModelError: memory runs out, or the loss is no number.
        UsageError: the checkpoint is of another training.
    """
    resumed = checkpoints.load() if options.resume else None
    if options.resume and resumed is None:
        log.info("no checkpoint of this training yet; it begins anew")
    progress = _progress(options, checkpoints, resumed) if resumed else Progress()
    loop = Loop(
        progress,
        checkpoints,
        class_weights=(
            selection.class_weights()
            if options.class_weights
            else np.ones(len(selection.labels), np.float32)
        ),
        patience=options.patience,
        max_seconds=options.max_seconds,
        seed=options.seed,
        started=started,
        resumed=resumed,
    )
    if resumed:
        stage = options.stages()[loop.progress.stage].name
        log.info("going on after epoch %d of %s", loop.progress.epoch, stage)
    else:
        checkpoints.delete()
    if model is None:
        trained = train_from_scratch(options, selection, loop)
    elif selection.fold_of is not None:
        trained = _from_folds(options, selection, model, loop, selection.fold_of)
    else:
        trained = _from_features(options, selection, model, loop)
    return replace(trained, best=kept_epoch(trained.history, trained.best))


def _progress(options: FinetuneOptions, checkpoints: Checkpoints, resumed: Checkpoint) -> Progress:
    """Return where a checkpoint's training is; what it says was read from a file."""
    try:
        progress = Progress.of(resumed.progress)
    except (KeyError, TypeError, ValueError) as error:
        raise checkpoints.unfit() from error
    if not 0 <= progress.stage < len(options.stages()):
        raise checkpoints.unfit()
    return progress


def _from_features(
    options: FinetuneOptions, selection: Selection, model: Model, loop: Loop
) -> Trained:
    """Train a head on features; then, as the options say, on changed images and with layers."""
    training, validation = [_fixed(model, side) for side in selection.sides]
    standardization = Standardization.of(training.features)
    widths = (training.features.shape[1], *options.hidden_units, len(selection.labels))
    head = Head.of_standardized(fresh_head(widths, options.seed).layers, standardization)
    best: Epoch | None = None
    stages = options.stages()
    for position, stage in enumerate(stages):
        if position < loop.progress.stage:
            continue
        if best is not None and loop.is_late():
            break
        if position > loop.progress.stage:
            loop.progress.next_stage()
        if stage.name == "fine-tuning":
            tuned = fine_tune(
                *(options, selection, model, loop, stage),
                head=head,
                standardization=standardization,
            )
            if isinstance(tuned, Trained):
                return tuned
            head, best = tuned, loop.progress.best
            break  # the backbone stays as it was
        learner = HeadLearner(
            head,
            standardization,
            learning_rate=stage.learning_rate,
            dropout=options.left_out,
            seed=options.seed,
        )
        images = images_of(options, selection.training, model.preprocessing)
        shown = training if stage.name == "features" else ImageFeatures(images, model)
        best = loop.run(learner, stage, shown, validation)
        head = learner.head()
    assert best is not None  # the first stage always ends with one
    backbone = None if own_weights(model.network) else _stored(model)
    unseen = None
    if stages[-1].name == "features" and len(training.columns) <= _MOST_REFITTED:
        unseen = _unseen_logits(options, selection, loop, training, validation)
    return finished(head, backbone, best, loop.progress.history, training, validation, unseen)


def _unseen_logits(
    options: FinetuneOptions,
    selection: Selection,
    loop: Loop,
    training: FixedFeatures,
    validation: FixedFeatures,
) -> Float32Array | None:
    """Return what heads that did not learn a training photo say of it, for the calibration."""
    if loop.is_late():
        return None
    labels = [str(column) for column in training.columns.tolist()]
    folds = assign_folds(labels, (), FOLDS, options.seed)
    recipe = _recipe(options, selection, loop)
    return out_of_fold(recipe, training, folds, validation).logits


def _recipe(options: FinetuneOptions, selection: Selection, loop: Loop) -> HeadRecipe:
    (stage,) = options.stages()
    return HeadRecipe(
        classes=len(selection.labels),
        hidden=options.hidden_units,
        dropout=options.left_out,
        epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        batch_size=loop.progress.batch_size or stage.batch_size,
        patience=options.patience,
        seed=options.seed,
        class_weights=loop.class_weights,
    )


def _from_folds(
    options: FinetuneOptions, selection: Selection, model: Model, loop: Loop, fold_of: Columns
) -> Trained:
    """Say how well the recipe does over folds, then train a head on all photos."""
    photos, checked_side = (_fixed(model, side) for side in selection.sides)
    columns, started = photos.columns, time.monotonic()
    recipe = _recipe(options, selection, loop)
    unseen = out_of_fold(recipe, photos, fold_of)
    right = unseen.logits.argmax(axis=1) == columns
    epochs = max(1, round(float(np.mean(unseen.epochs))))
    head, _ = fit_head(replace(recipe, epochs=epochs), photos, None)
    learned = head.logits(photos.features)
    best = Epoch(
        stage="folds",
        epoch=epochs,
        loss=log_loss(learned, columns),
        accuracy=float(np.mean(learned.argmax(axis=1) == columns)),
        val_loss=log_loss(unseen.logits, columns),
        val_accuracy=float(np.mean(right)),
        seconds=time.monotonic() - started,
    )
    loop.progress.history.append(best)
    temperature = fit_temperature(unseen.logits, columns)
    head = head.tempered(temperature)
    checked = checked_positions(checked_side.columns)
    every = range(len(selection.labels))
    return Trained(
        head,
        None if own_weights(model.network) else _stored(model),
        best,
        loop.progress.history,
        checked,
        head.logits(checked_side.features[checked]),
        temperature=temperature,
        val_loss=log_loss(unseen.logits / np.float32(temperature), columns),
        familiarity=Familiarity.of_folds(photos.features, columns, fold_of, right),
        folds=FoldFigures(
            unseen.accuracies(columns, fold_of),
            confusion(columns, unseen.logits.argmax(axis=1), list(every)),
        ),
    )


def _fixed(model: Model, side: LabelledImages) -> FixedFeatures:
    return FixedFeatures(cached_features(model, side.sources, side.digests), side.columns)


def _stored(model: Model) -> dict[str, np.ndarray]:
    return backbone_tensors(weighted_backbone(model.network), model.network.spec)

"""Run the stages of a training, one learner after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.keras.network_learner import NetworkLearner, fresh_backbone, weighted_backbone
from imgcls.core.keras.stored_backbone import backbone_tensors
from imgcls.core.models.head import Head
from imgcls.core.models.model_file import own_weights
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.table import SCRATCH_MODELS
from imgcls.core.pixels.augment import AUGMENTATIONS
from imgcls.core.tasks.training.batches import FixedFeatures, ImageFeatures, Images
from imgcls.core.tasks.training.checkpoints import Checkpoints
from imgcls.core.tasks.training.features import cached_features
from imgcls.core.tasks.training.head_learner import HeadLearner, fresh_head, spread
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.loop import Loop, Progress, Stage
from imgcls.core.tasks.training.options import ALL_LAYERS, Options
from imgcls.core.tasks.training.selection import LabelledImages, Selection

log = logging.getLogger("imgcls")

_CHECKED = 16  # validation images that the saved file is checked on


@dataclass(frozen=True)
class Trained:
    """What a training ended with.

    Attributes:
        head: the classifier.
        backbone: tensors of the backbone for the model file; None where its own weights do.
        best: the epoch that it is of.
        history: all epochs.
        checked: positions of some validation images.
        logits: what the trained model says of those, (n, classes).
    """

    head: Head
    backbone: dict[str, np.ndarray] | None
    best: Epoch
    history: Sequence[Epoch]
    checked: Sequence[int]
    logits: Float32Array


def train(
    options: Options,
    selection: Selection,
    model: Model | None,
    checkpoints: Checkpoints,
    *,
    resume: bool,
) -> Trained:
    """Run all stages.

    Args:
        options: how to train.
        selection: what to learn.
        model: the open backbone; None to train from scratch.
        checkpoints: where to save the training; all are deleted at the end by the caller.
        resume: whether to go on from the newest checkpoint.

    Raises:
        ModelError: memory runs out, or the loss is no number.
        UsageError: the checkpoint is of another training.
    """
    resumed = checkpoints.load() if resume else None
    if resume and resumed is None:
        log.info("no checkpoint of this training yet; it begins anew")
    loop = Loop(
        Progress.of(resumed.progress) if resumed else Progress(),
        checkpoints,
        class_weights=(
            selection.class_weights()
            if options.class_weights
            else np.ones(len(selection.labels), np.float32)
        ),
        patience=options.patience,
        max_seconds=options.max_seconds,
        seed=options.seed,
        resumed=resumed,
    )
    if resumed:
        stage = options.stages()[loop.progress.stage].name
        log.info("going on after epoch %d of %s", loop.progress.epoch, stage)
    else:
        checkpoints.delete()
    if model is None:
        return _from_scratch(options, selection, loop)
    return _from_features(options, selection, model, loop)


def _from_features(options: Options, selection: Selection, model: Model, loop: Loop) -> Trained:
    """Train a head on features; then, as the options say, on changed images and with layers."""
    started = time.monotonic()
    sides = [_fixed(model, side) for side in (selection.training, selection.validation)]
    training, validation = sides
    loop.progress.seconds += time.monotonic() - started
    center, deviation = spread(training.features)
    widths = (training.features.shape[1], *options.hidden_units, len(selection.labels))
    head = Head.of_standardized(fresh_head(widths, options.seed).layers, center, deviation)
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
            return _fine_tune(options, selection, model, loop, stage, head, center, deviation)
        learner = HeadLearner(
            head,
            center,
            deviation,
            learning_rate=stage.learning_rate,
            dropout=options.dropout,
            seed=options.seed,
        )
        changed = ImageFeatures(_images(options, selection.training, model), model)
        shown = training if stage.name == "features" else changed
        best = loop.run(learner, stage, shown, validation)
        head = learner.head()
    assert best is not None  # the first stage always ends with one
    checked = _checked(validation.columns)
    backbone = None if own_weights(model.network) else _stored(model)
    logits = head.logits(validation.features[checked])
    return Trained(head, backbone, best, loop.progress.history, checked, logits)


def _fixed(model: Model, side: LabelledImages) -> FixedFeatures:
    return FixedFeatures(cached_features(model, side.sources, side.digests), side.columns)


def _stored(model: Model) -> dict[str, np.ndarray]:
    return backbone_tensors(weighted_backbone(model.network), model.network.spec)


def _images(options: Options, side: LabelledImages, model: Model) -> Images:
    return Images(
        side.sources,
        side.columns,
        model.preprocessing,
        AUGMENTATIONS[options.augment],
        options.seed,
    )


def _fine_tune(
    options: Options,
    selection: Selection,
    model: Model,
    loop: Loop,
    stage: Stage,
    head: Head,
    center: Float32Array,
    deviation: Float32Array,
) -> Trained:
    """Train the last layers of the backbone and the head together."""
    learner = NetworkLearner(
        weighted_backbone(model.network),
        head,
        center,
        deviation,
        layers=None if options.unfreeze == ALL_LAYERS else options.unfreeze,
        learning_rate=stage.learning_rate,
        dropout=options.dropout,
        seed=options.seed,
    )
    sides = [_images(options, side, model) for side in (selection.training, selection.validation)]
    return _run_network(learner, loop, stage, sides, model.network.spec)


def _from_scratch(options: Options, selection: Selection, loop: Loop) -> Trained:
    """Train a small network and its head together."""
    (stage,) = options.stages()
    spec = SCRATCH_MODELS[options.model]
    backbone = fresh_backbone(spec, options.seed)
    width = backbone.output.shape[-1]
    learner = NetworkLearner(
        backbone,
        fresh_head((width, *options.hidden_units, len(selection.labels)), options.seed),
        np.zeros(width, np.float32),
        np.ones(width, np.float32),
        layers=None,
        learning_rate=stage.learning_rate,
        dropout=options.dropout,
        seed=options.seed,
    )
    augmentation = AUGMENTATIONS[options.augment]
    sides = [
        Images(side.sources, side.columns, spec.preprocessing, augmentation, options.seed)
        for side in (selection.training, selection.validation)
    ]
    return _run_network(learner, loop, stage, sides, spec)


def _run_network(
    learner: NetworkLearner, loop: Loop, stage: Stage, sides: Sequence[Images], spec: ModelSpec
) -> Trained:
    training, validation = sides
    best = loop.run(learner, stage, training, validation)
    checked = _checked(validation.columns)
    ((inputs, _),) = validation.batches(checked, len(checked), 0)
    return Trained(
        learner.head(),
        backbone_tensors(learner.backbone, spec),
        best,
        loop.progress.history,
        checked,
        learner.logits(inputs),
    )


def _checked(columns: np.ndarray) -> list[int]:
    """Return positions of some validation images, evenly taken from all classes."""
    count = min(_CHECKED, len(columns))
    return sorted({round(position) for position in np.linspace(0, len(columns) - 1, count)})

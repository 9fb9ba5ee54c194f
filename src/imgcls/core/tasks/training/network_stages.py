"""Train a network itself: the last layers of a backbone, or a small one from scratch."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from imgcls.core.engines.model import Model
from imgcls.core.keras.network_learner import NetworkLearner, fresh_backbone, weighted_backbone
from imgcls.core.keras.stored_backbone import backbone_tensors
from imgcls.core.models.backbones import SCRATCH_MODELS
from imgcls.core.models.head import Head, Standardization
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.variant import varied
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.progress import progress as progress_bar
from imgcls.core.tasks.classify.scoring import adapt
from imgcls.core.tasks.training.batches import FixedFeatures, Images
from imgcls.core.tasks.training.head_learner import fresh_head
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.loop import Loop
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.progress import Stage
from imgcls.core.tasks.training.selection import LabelledImages, Selection
from imgcls.core.tasks.training.trained import Trained, finished

# The file is checked with a model compiled from it, which takes about this many times as long as
# building the network did.
_FINISHING = 3.0


def images_of(
    options: FinetuneOptions, side: LabelledImages, preprocessing: Preprocessing
) -> Images:
    """Return the images of a side as a network is shown them."""
    return Images(side.sources, side.columns, preprocessing, options.augmentation, options.seed)


def fine_tune(
    options: FinetuneOptions,
    selection: Selection,
    model: Model,
    loop: Loop,
    stage: Stage,
    *,
    head: Head,
    standardization: Standardization,
) -> Trained | Head:
    """Train the last layers of the backbone and a trained head together.

    Returns:
        What came of it; the head that it began with, which a resumed training has from its
        checkpoint, if no epoch was better than that on the backbone as it was.
    """
    building = time.monotonic()
    learner = NetworkLearner(
        weighted_backbone(model.network),
        head,
        standardization,
        layers=options.learning_layers,
        learning_rate=stage.learning_rate,
        dropout=options.left_out,
        seed=options.seed,
    )
    loop.reserve = _FINISHING * (time.monotonic() - building)
    sides = [images_of(options, side, model.preprocessing) for side in selection.sides]
    best = _run(learner, loop, stage, sides)
    if not best.epoch:
        return learner.head()
    return _finished(learner, best, loop, sides, model.network.spec)


def scratch_spec(options: FinetuneOptions) -> ModelSpec:
    """Return the row of a network that is trained from scratch, as the options want it.

    Raises:
        UsageError: it cannot be built for the size that is wanted.
    """
    spec = varied(options.model, SCRATCH_MODELS[options.model], options.variant)
    preprocessing = adapt(spec.preprocessing, options.resize, options.interpolation)
    return spec._replace(preprocessing=preprocessing)


def train_from_scratch(options: FinetuneOptions, selection: Selection, loop: Loop) -> Trained:
    """Train a small network and its head together."""
    (stage,) = options.stages()
    spec = scratch_spec(options)
    building = time.monotonic()
    backbone = fresh_backbone(spec, options.seed)
    width = backbone.output.shape[-1]
    learner = NetworkLearner(
        backbone,
        fresh_head((width, *options.hidden_units, len(selection.labels)), options.seed),
        Standardization.none(width),
        layers=None,
        learning_rate=stage.learning_rate,
        dropout=options.left_out,
        seed=options.seed,
    )
    loop.reserve = _FINISHING * (time.monotonic() - building)
    sides = [images_of(options, side, spec.preprocessing) for side in selection.sides]
    best = _run(learner, loop, stage, sides)
    return _finished(learner, best, loop, sides, spec)


def _run(learner: NetworkLearner, loop: Loop, stage: Stage, sides: Sequence[Images]) -> Epoch:
    training, validation = sides
    loop.last_passes = 1 + len(training.columns) / len(validation.columns)
    return loop.run(learner, stage, training, validation)


def _finished(
    learner: NetworkLearner, best: Epoch, loop: Loop, sides: Sequence[Images], spec: ModelSpec
) -> Trained:
    training, validation = [_learned_features(learner, side, loop) for side in sides]
    backbone = backbone_tensors(learner.backbone, spec)
    history = loop.progress.history
    return finished(learner.head(), backbone, best, history, training, validation)


def _learned_features(learner: NetworkLearner, side: Images, loop: Loop) -> FixedFeatures:
    """Return what the trained backbone sees in the images, unchanged."""
    size = loop.progress.batch_size
    batches = side.batches(range(len(side.columns)), size, 0)
    shown = progress_bar(batches, "batch", -(-len(side.columns) // size))
    return FixedFeatures(
        np.concatenate([learner.features(inputs) for inputs, _ in shown]), side.columns
    )

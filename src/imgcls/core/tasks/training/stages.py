"""Run the stages of a training, one learner after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.keras.network_learner import NetworkLearner, fresh_backbone, weighted_backbone
from imgcls.core.keras.stored_backbone import backbone_tensors
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.head import Head, Standardization
from imgcls.core.models.model_file import own_weights
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.table import SCRATCH_MODELS
from imgcls.core.models.variant import varied
from imgcls.core.progress import progress as progress_bar
from imgcls.core.tasks.classify.scoring import adapt
from imgcls.core.tasks.labelled.metrics import confusion
from imgcls.core.tasks.training.batches import Columns, FixedFeatures, ImageFeatures, Images
from imgcls.core.tasks.training.calibration import fit_temperature, log_loss
from imgcls.core.tasks.training.checkpoints import Checkpoint, Checkpoints
from imgcls.core.tasks.training.features import cached_features
from imgcls.core.tasks.training.folds import HeadRecipe, assign_folds, fit_head, out_of_fold
from imgcls.core.tasks.training.head_learner import HeadLearner, fresh_head
from imgcls.core.tasks.training.history import Epoch, kept_epoch
from imgcls.core.tasks.training.loop import Loop
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.progress import Progress, Stage
from imgcls.core.tasks.training.selection import LabelledImages, Selection

log = logging.getLogger("imgcls")

_CHECKED = 16  # validation images that the saved file is checked on
_FOLDS = 5
_ENOUGH = 30  # validation photos, to say what is familiar
_MOST_REFITTED = 5000  # training photos; of more, the validation photos say enough
# The file is checked with a model compiled from it, which takes about this many times as long as
# building the network did.
_FINISHING = 3.0


@dataclass(frozen=True)
class FoldFigures:
    """How well a recipe does on photos that it did not learn.

    Attributes:
        accuracies: of each fold, 0 to 1.
        confusion_matrix: of all folds together, int64 (classes, classes), rows true.
    """

    accuracies: tuple[float, ...]
    confusion_matrix: Columns

    @property
    def mean(self) -> float:
        """The mean accuracy over the folds."""
        return float(np.mean(self.accuracies))

    @property
    def spread(self) -> float:
        """The standard deviation of the accuracy over the folds."""
        return float(np.std(self.accuracies, ddof=1))


@dataclass(frozen=True)
class Trained:
    """What a training ended with.

    Attributes:
        head: the classifier.
        backbone: tensors of the backbone for the model file; None where its own weights do.
        best: the epoch that it is of; of an earlier stage, where the last found nothing better.
        history: all epochs.
        checked: positions of some validation images.
        logits: what the trained model says of those, (n, classes).
        temperature: what the logits were divided by, so that the scores are calibrated.
        val_loss: mean cross-entropy of the calibrated scores on the validation images.
        familiarity: what tells how far an image is from those learned.
        folds: how well the recipe does over folds; None without them.
    """

    head: Head
    backbone: dict[str, np.ndarray] | None
    best: Epoch
    history: Sequence[Epoch]
    checked: Sequence[int]
    logits: Float32Array
    temperature: float
    val_loss: float
    familiarity: Familiarity | None
    folds: FoldFigures | None = None


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
        trained = _from_scratch(options, selection, loop)
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
    training, validation = [_fixed(model, side) for side in _sides(selection)]
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
            tuned = _network_learner(options, model, loop, stage, head, standardization)
            images = [_images(options, one, model) for one in _sides(selection)]
            best = _run_network(tuned, loop, stage, images)
            if best.epoch:
                return _finished_network(tuned, best, loop, images, model.network.spec)
            head = tuned.head()
            break  # the backbone stays as it was
        learner = HeadLearner(
            head,
            standardization,
            learning_rate=stage.learning_rate,
            dropout=options.left_out,
            seed=options.seed,
        )
        altered = ImageFeatures(_images(options, selection.training, model), model)
        shown = training if stage.name == "features" else altered
        best = loop.run(learner, stage, shown, validation)
        head = learner.head()
    assert best is not None  # the first stage always ends with one
    backbone = None if own_weights(model.network) else _stored(model)
    unseen = None
    if stages[-1].name == "features" and len(training.columns) <= _MOST_REFITTED:
        unseen = _unseen_logits(options, selection, loop, training, validation)
    return _finished(head, backbone, best, loop, training, validation, unseen)


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
    folds = assign_folds(labels, (), _FOLDS, options.seed)
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
    photos, checked_side = (_fixed(model, side) for side in _sides(selection))
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
    checked = _checked(checked_side.columns)
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


def _sides(selection: Selection) -> tuple[LabelledImages, LabelledImages]:
    return selection.training, selection.validation


def _fixed(model: Model, side: LabelledImages) -> FixedFeatures:
    return FixedFeatures(cached_features(model, side.sources, side.digests), side.columns)


def _stored(model: Model) -> dict[str, np.ndarray]:
    return backbone_tensors(weighted_backbone(model.network), model.network.spec)


def _images(options: FinetuneOptions, side: LabelledImages, model: Model) -> Images:
    return Images(
        side.sources,
        side.columns,
        model.preprocessing,
        options.augmentation,
        options.seed,
    )


def _network_learner(
    options: FinetuneOptions,
    model: Model,
    loop: Loop,
    stage: Stage,
    head: Head,
    standardization: Standardization,
) -> NetworkLearner:
    """Return what trains the last layers of the backbone and the head together."""
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
    return learner


def scratch_spec(options: FinetuneOptions) -> ModelSpec:
    """Return the row of a network that is trained from scratch, as the options want it.

    Raises:
        UsageError: it cannot be built for the size that is wanted.
    """
    spec = varied(options.model, SCRATCH_MODELS[options.model], options.variant)
    preprocessing = adapt(spec.preprocessing, options.resize, options.interpolation)
    return spec._replace(preprocessing=preprocessing)


def _from_scratch(options: FinetuneOptions, selection: Selection, loop: Loop) -> Trained:
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
    sides = [
        Images(side.sources, side.columns, spec.preprocessing, options.augmentation, options.seed)
        for side in _sides(selection)
    ]
    best = _run_network(learner, loop, stage, sides)
    return _finished_network(learner, best, loop, sides, spec)


def _run_network(
    learner: NetworkLearner, loop: Loop, stage: Stage, sides: Sequence[Images]
) -> Epoch:
    training, validation = sides
    loop.last_passes = 1 + len(training.columns) / len(validation.columns)
    return loop.run(learner, stage, training, validation)


def _finished_network(
    learner: NetworkLearner, best: Epoch, loop: Loop, sides: Sequence[Images], spec: ModelSpec
) -> Trained:
    size = loop.progress.batch_size
    features = [_learned_features(learner, side, size) for side in sides]
    backbone = backbone_tensors(learner.backbone, spec)
    return _finished(learner.head(), backbone, best, loop, features[0], features[1])


def _learned_features(learner: NetworkLearner, side: Images, size: int) -> FixedFeatures:
    """Return what the trained backbone sees in the images, unchanged."""
    batches = side.batches(range(len(side.columns)), size, 0)
    shown = progress_bar(batches, "batches", -(-len(side.columns) // size))
    return FixedFeatures(
        np.concatenate([learner.features(inputs) for inputs, _ in shown]), side.columns
    )


def _finished(
    head: Head,
    backbone: dict[str, np.ndarray] | None,
    best: Epoch,
    loop: Loop,
    training: FixedFeatures,
    validation: FixedFeatures,
    unseen: Float32Array | None = None,
) -> Trained:
    """Calibrate the head, and learn what is familiar.

    Args:
        head: as it was trained.
        backbone: its tensors, for the model file.
        best: the best epoch.
        loop: has the history.
        training: what the head learned.
        validation: what the best epoch was chosen by.
        unseen: logits of the training photos by heads that did not learn them, if there are.
    """
    columns = validation.columns
    logits = head.logits(validation.features)
    if unseen is None:
        temperature = fit_temperature(logits, columns)
    else:
        both = np.concatenate([unseen, logits])
        temperature = fit_temperature(both, np.concatenate([training.columns, columns]))
    head = head.tempered(temperature)
    right = logits.argmax(axis=1) == columns
    checked = _checked(columns)
    return Trained(
        head,
        backbone,
        best,
        loop.progress.history,
        checked,
        head.logits(validation.features[checked]),
        temperature=temperature,
        val_loss=log_loss(logits / np.float32(temperature), columns),
        familiarity=_familiarity(training, validation, right),
    )


def _familiarity(
    training: FixedFeatures, validation: FixedFeatures, right: npt.NDArray[np.bool_]
) -> Familiarity | None:
    """Learn what is familiar.

    A photo is unknown that is less familiar than all photos that it is compared with: of the
    photos of the classes, one in as many as those are. Where the validation photos are few, the
    training photos are among them, each as the other folds see it.

    Args:
        training: what the head learned.
        validation: what it did not.
        right: which of those it takes for what they are.
    """
    if right.sum() >= _ENOUGH:
        return Familiarity.of(training.features, training.columns, validation.features[right])
    features = np.concatenate([training.features, validation.features])
    columns = np.concatenate([training.columns, validation.columns])
    folds = assign_folds([str(column) for column in columns.tolist()], (), _FOLDS, 0)
    known = np.concatenate([np.ones(len(training.columns), bool), right])
    return Familiarity.of_folds(features, columns, folds, known)


def _checked(columns: np.ndarray) -> list[int]:
    """Return positions of some validation images, evenly taken from all classes."""
    count = min(_CHECKED, len(columns))
    return sorted({round(position) for position in np.linspace(0, len(columns) - 1, count)})

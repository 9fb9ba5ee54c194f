"""Train a classifier on a labelled folder; its file is a model like any other."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from imgcls.core.arrays import softmax
from imgcls.core.engines.model import Model, find_spec, is_model_file, load_model
from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.files import temporary_name
from imgcls.core.models.model_file import ENDING, ModelFile, write_model_file
from imgcls.core.models.spec import features_described
from imgcls.core.models.table import BACKBONES, DEFAULT_MODEL
from imgcls.core.models.weights import find_weights
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.classify import classify
from imgcls.core.tasks.training.checkpoints import Checkpoints
from imgcls.core.tasks.training.history import HEADER, Epoch, write_csv, write_plot
from imgcls.core.tasks.training.options import (
    ALL_LAYERS,
    BATCH_SIZE,
    PATIENCE,
    VAL_SPLIT,
    HeadKind,
    Options,
)
from imgcls.core.tasks.training.selection import Selection, select_images
from imgcls.core.tasks.training.stages import Trained, train
from imgcls.core.version import __version__

log = logging.getLogger("imgcls")

# The greatest difference of a score between the saved file and the trained model.
MAX_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class FinetuneResult:
    """What a training ended with.

    Attributes:
        path: the model file.
        backbone: the name of its network.
        classes: how many training images each class has.
        training_images: how many were learned.
        validation_images: how many the best epoch was chosen by.
        val_accuracy: on those, 0 to 1, in the best epoch.
        val_loss: on those, mean cross-entropy.
        history: all epochs.
        unreadable: images that were left out.
        seconds: from beginning to end.
    """

    path: Path
    backbone: str
    classes: Mapping[str, int]
    training_images: int
    validation_images: int
    val_accuracy: float
    val_loss: float
    history: Sequence[Epoch]
    unreadable: int
    seconds: float


def finetune(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    model: str = DEFAULT_MODEL,
    *,
    weights: str | os.PathLike[str] | None = None,
    validation: str | os.PathLike[str] | None = None,
    val_split: float | None = None,
    epochs: int | None = None,
    unfreeze: int | Literal["all"] = 0,
    learning_rate: float | None = None,
    augment: str = "none",
    head: HeadKind = "linear",
    class_weights: bool = False,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    patience: int = PATIENCE,
    max_seconds: float | None = None,
    resume: bool = False,
    skip_bad: bool = False,
    force: bool = False,
) -> FinetuneResult:
    """Train a classifier on a folder of class folders and write it as a model file.

    The backbone is frozen, its features are computed once and kept, and a head is trained on
    them; `augment` and `unfreeze` go on from there (Yosinski et al. 2014,
    https://arxiv.org/abs/1411.1792). Beside the model, `OUTPUT.history.csv` and `.png` are
    written.

    Args:
        folder: holds a folder per class, or `train` beside `val` or `test` folders that do.
        output: the model file, ending in .safetensors.
        model: a named model, "simple-cnn" to train a small network from scratch, or a model
            file whose backbone is used.
        weights: a local weights file for a named model.
        validation: a folder of class folders to validate on.
        val_split: the part of the training images to validate on; default 0.2 where there is
            no validation or test folder.
        epochs: at most; of the last stage.
        unfreeze: how many of the backbone's last layers are trained too, or "all".
        learning_rate: of the last stage.
        augment: "none", "light" or "full".
        head: "linear", or "mlp" with a hidden layer of 256 units.
        class_weights: whether all classes count alike, however many images they have.
        batch_size: images in a step.
        seed: the same seed gives the same metrics on the same machine.
        patience: epochs without a lower validation loss after which a stage ends.
        max_seconds: after which training ends with the best epoch so far.
        resume: go on from the checkpoint of a run that was killed.
        skip_bad: leave out unreadable images.
        force: overwrite an existing model.

    Raises:
        ImageError: there are unreadable images.
        ModelError: the model is unknown, or the saved file does not predict what was trained.
        OutputError: the model exists, or a file cannot be written.
        UsageError: an option is out of range, or the folder is no labelled folder.

    Example:
        >>> import imgcls
        >>> result = imgcls.finetune("photos", "mine.safetensors", epochs=2)
        >>> result.training_images, result.validation_images
        (20, 4)
    """
    started = time.monotonic()
    options = Options(
        model=os.fspath(model),
        epochs=epochs,
        unfreeze=ALL_LAYERS if unfreeze == "all" else unfreeze,
        learning_rate=learning_rate,
        augment=augment,
        head=head,
        class_weights=class_weights,
        batch_size=batch_size,
        seed=seed,
        patience=patience,
        max_seconds=max_seconds,
        val_split=VAL_SPLIT if val_split is None else val_split,
    )
    options.check()
    if validation is not None and val_split is not None:
        raise UsageError("--validation and --val-split contradict each other; use one of them")
    path = Path(output)
    check_free(path, force=force)
    _check_backbone(options, weights)
    selection = select_images(
        folder, validation, val_split, fraction=options.val_split, seed=seed, skip_bad=skip_bad
    )
    opened = None if options.from_scratch else load_model(options.model, weights=weights)
    checkpoints = Checkpoints(
        path.with_name(f"{path.name}.checkpoints"), _run(options, selection, opened)
    )
    with _kept_if_interrupted(checkpoints):
        trained = train(options, selection, opened, checkpoints, resume=resume)
        file = _model_file(options, selection, opened, trained)
        _write_checked(path, file, trained, selection)
        write_csv(path.with_suffix(".history.csv"), trained.history)
        write_plot(path.with_suffix(".history.png"), trained.history)
    return FinetuneResult(
        path=path,
        backbone=file.backbone,
        classes=selection.counts,
        training_images=len(selection.training.sources),
        validation_images=len(selection.validation.sources),
        val_accuracy=trained.best.val_accuracy,
        val_loss=trained.best.val_loss,
        history=tuple(trained.history),
        unreadable=selection.unreadable,
        seconds=time.monotonic() - started,
    )


@contextlib.contextmanager
def _kept_if_interrupted(checkpoints: Checkpoints) -> Iterator[None]:
    """Delete the checkpoints if the block ends well; else say how to go on from them."""
    done = False
    try:
        yield
        done = True
    finally:
        if done:
            checkpoints.delete()
        elif checkpoints.exist():
            log.info("%s: the same command with --resume goes on from here", checkpoints.folder)


def check_free(path: Path, *, force: bool) -> None:
    """Refuse an output that is there already, or that cannot be written.

    Raises:
        OutputError: without `force`, the model exists; or a file of another kind has the name
            of its history; or there is no such folder.
        UsageError: the name has another ending.
    """
    if path.suffix != ENDING:
        raise UsageError(f"{path}: a model file ends in {ENDING}")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: no such folder; make it first")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    if path.exists() and not force:
        raise OutputError(f"{path}: exists; name another file, or use --force to overwrite it")
    starts = {".history.csv": ",".join(HEADER).encode(), ".history.png": b"\x89PNG"}
    for ending, start in starts.items():
        beside = path.with_suffix(ending)
        if beside.exists() and not force and not beside.read_bytes().startswith(start):
            raise OutputError(f"{beside}: exists and is no training history; use --force")


def _check_backbone(options: Options, weights: str | os.PathLike[str] | None) -> None:
    """Find the backbone before the images are looked at, which may take minutes.

    Raises:
        ModelError: there is no such model.
        UsageError: weights are given for a network that needs none.
        WeightsError: its weights are not here.
    """
    if options.from_scratch and weights is not None:
        raise UsageError(f"{options.model} is trained from scratch; leave out --weights")
    if not options.from_scratch and not is_model_file(options.model):
        given = None if weights is None else os.fspath(weights)
        find_weights(options.model, find_spec(options.model), given)


def _run(options: Options, selection: Selection, model: Model | None) -> dict[str, str]:
    """Return what the outcome of a training depends on."""
    return {
        "imgcls": __version__,
        "options": repr(options.described()),
        "images": selection.digest,
        "weights": model.network.weights_id if model else "",
    }


def _model_file(
    options: Options, selection: Selection, model: Model | None, trained: Trained
) -> ModelFile:
    name = model.network.name if model else options.model
    spec = model.network.spec if model else BACKBONES[name]
    return ModelFile(
        backbone=name,
        backbone_weights="own" if trained.backbone is None else "stored",
        weights_sha256=model.network.weights_id if model else "",
        head=trained.head,
        labels=selection.labels,
        preprocessing=model.preprocessing if model else spec.preprocessing,
        described=features_described(spec),
        training={
            "options": options.described(),
            "classes": selection.counts,
            "images": len(selection.training.sources),
            "validation_images": len(selection.validation.sources),
            "images_sha256": selection.digest,
        },
        metrics={
            "val_accuracy": trained.best.val_accuracy,
            "val_loss": trained.best.val_loss,
            "stage": trained.best.stage,
            "epoch": trained.best.epoch,
        },
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    packages = ("imgcls", "numpy", "pillow")
    used = [package for package in ("keras", "tensorflow") if package in sys.modules]
    return {package: importlib.metadata.version(package) for package in (*packages, *used)}


def _write_checked(path: Path, file: ModelFile, trained: Trained, selection: Selection) -> None:
    """Write the model file, but only if it predicts what the trained model did."""
    trial = temporary_name(path).with_suffix(ENDING)
    try:
        write_model_file(trial, file, trained.backbone)
        sources = [selection.validation.sources[position] for position in trained.checked]
        difference = _difference(load_model(os.fspath(trial)), sources, trained)
        if not difference <= MAX_DIFFERENCE:
            raise ModelError(
                f"{path}: not written: its scores differ by {difference:.1e} from those of the "
                "trained model; please report this"
            )
        log.info("the saved model predicts what was trained, within %.0e", max(difference, 1e-7))
        try:
            os.replace(trial, path)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        trial.unlink(missing_ok=True)


def _difference(model: Model, sources: Sequence[Source], trained: Trained) -> float:
    """Return the greatest difference of a score between `classify` and the trained model."""
    expected = softmax(trained.logits)  # (n, classes)
    said = np.zeros_like(expected)
    columns = {label.label: column for column, label in enumerate(model.labels)}
    for row, record in zip(said, classify(sources, model, top=0), strict=True):
        for prediction in record.predictions:
            row[columns[prediction.label]] = prediction.score
    return float(np.abs(said - expected).max())

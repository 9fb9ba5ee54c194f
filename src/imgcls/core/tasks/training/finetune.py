"""Train a classifier on a labelled folder; its file is a model like any other."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from imgcls.core.engines.model import Model, check_features, load_model
from imgcls.core.models.find_model import find_spec, is_model_file, open_model_file
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.models.variant import varied
from imgcls.core.models.weights import find_weights
from imgcls.core.output_file import only_writer
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.classify.scoring import adapt
from imgcls.core.tasks.labelled.dataset import check_there, read_dataset
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.network_stages import scratch_spec
from imgcls.core.tasks.training.options import BATCH_SIZE, PATIENCE, FinetuneOptions, HeadKind
from imgcls.core.tasks.training.parts import chosen_parts
from imgcls.core.tasks.training.result_files import ResultFiles
from imgcls.core.tasks.training.selection import Selection, select_images
from imgcls.core.tasks.training.stages import train
from imgcls.core.tasks.training.trained import FoldFigures
from imgcls.core.tasks.training.trained_file import trained_file
from imgcls.core.version import __version__
from imgcls.core.words import counted


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
        val_loss: on those, mean cross-entropy of the calibrated scores.
        kept: the best epoch, which the model is of; of an earlier stage, where the last found
            nothing better.
        history: all epochs.
        unreadable: images that were left out.
        seconds: from beginning to end.
        folds: how well the recipe does over `folds`; None without.
    """

    path: Path
    backbone: str
    classes: Mapping[str, int]
    training_images: int
    validation_images: int
    val_accuracy: float
    val_loss: float
    kept: Epoch
    history: Sequence[Epoch]
    unreadable: int
    seconds: float
    folds: FoldFigures | None = None

    def __repr__(self) -> str:
        """Return the file and how well it does."""
        classes = counted(len(self.classes), "class")
        return f"<FinetuneResult {self.path}: {classes}, validation {self.val_accuracy:.2%}>"


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
    size: int | None = None,
    resize: Resize | None = None,
    interpolation: Interpolation | None = None,
    features: str | None = None,
    hidden: Sequence[int] = (),
    dropout: float | None = None,
    folds: int | None = None,
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
        folder: holds a folder per class, or `train` beside `val` or `test` folders that do; or a
            table, a CSV file with the columns path, label and, if wanted, split.
        output: the model file, ending in .safetensors.
        model: a named model, "simple-cnn" to train a small network from scratch, or a model
            file whose backbone is used.
        weights: a local weights file for a named model.
        validation: a folder of class folders, or a table, to validate on.
        val_split: the part of the training images to validate on; default 0.2 where there is
            no validation or test folder.
        epochs: at most; of the last stage.
        unfreeze: how many of the backbone's last layers are trained too, or "all".
        learning_rate: of the last stage.
        augment: "none", "light" or "full"; or how far images are changed at random, some of
            "rotation=40,shift=0.2,shear=0.2,zoom=0.2,colour=0.2,flip" (degrees, parts of the
            side, degrees, parts of the size and of the colour).
        head: "linear", or "mlp" with a hidden layer of 256 units.
        size: height and width of the network's input; default: its own. Smaller is faster, and
            shows less.
        resize: how an image is fitted to the network, in training as in predicting: "crop",
            "squash" or "pad"; default: the network's own way.
        interpolation: the resampling filter; default: the network's own.
        features: what the head stands on: "avg", the mean of the last feature map over its
            places; "flatten", all its places; or the name of a layer, such as "fc2" of VGG16,
            averaged over height and width where it has them. Default: the network's own,
            mostly "avg".
        hidden: the units of the head's hidden layers, with ReLU; default: none for a linear
            head.
        dropout: the part of hidden units that is left out in a step of training; default: 0.5.
        folds: say how well the recipe does over so many folds, in which no image is both learned
            and asked, then learn all images.
        class_weights: whether all classes count alike, however many images they have.
        batch_size: images in a step.
        seed: the same seed gives the same metrics on the same machine.
        patience: epochs without a lower validation loss after which a stage ends.
        max_seconds: after which training ends with the best epoch so far; counted from the
            call on, with compiling the model, computing features and what is likely to be
            needed to check the file. One epoch is done in any case.
        resume: go on from the checkpoint of a run that was interrupted.
        skip_bad: leave out unreadable images.
        force: overwrite an existing model, and begin anew where an interrupted training could go
            on.

    Raises:
        ImageError: there are unreadable images.
        ModelError: the model is unknown, or the saved file does not predict what was trained.
        OutputError: the model or the checkpoints of an interrupted training exist, another
            training writes the model, or a file cannot be written.
        UsageError: an option is out of range, or the folder is no labelled folder.

    Example:
        >>> import imgcls
        >>> result = imgcls.finetune("photos", "mine.safetensors", epochs=2)
        >>> result.training_images, result.validation_images
        (20, 4)
    """
    options = FinetuneOptions(
        model=os.fspath(model),
        weights=weights,
        validation=validation,
        val_split=val_split,
        epochs=epochs,
        unfreeze=unfreeze,
        learning_rate=learning_rate,
        augment=augment,
        head=head,
        size=size,
        resize=resize,
        interpolation=interpolation,
        features=features,
        hidden=tuple(hidden),
        dropout=dropout,
        folds=folds,
        class_weights=class_weights,
        batch_size=batch_size,
        seed=seed,
        patience=patience,
        max_seconds=max_seconds,
        resume=resume,
        skip_bad=skip_bad,
        force=force,
    )
    return train_model(folder, output, options)


def train_model(
    folder: str | os.PathLike[str], output: str | os.PathLike[str], options: FinetuneOptions
) -> FinetuneResult:
    """Train and write a model; see `finetune`."""
    started = time.monotonic()
    files = ResultFiles(Path(output))
    files.check_free(force=options.force)
    with only_writer(Path(os.path.realpath(output)), os.fspath(output)):
        files.check_free(force=options.force)  # another run may have ended meanwhile
        return _train_model(folder, files, options, started)


def _train_model(
    folder: str | os.PathLike[str], files: ResultFiles, options: FinetuneOptions, started: float
) -> FinetuneResult:
    if not (options.resume or options.force):
        files.checkpoints({}).check_free()
    check_there(os.fspath(folder))
    _check_backbone(options)
    dataset = chosen_parts(read_dataset(folder), options)
    opened = None if options.from_scratch else _open(options)
    selection = select_images(dataset, options, opened)
    checkpoints = files.checkpoints(_run(options, selection, opened))
    with checkpoints.kept_if_interrupted():
        trained = train(options, selection, opened, checkpoints, started)
        file = trained_file(options, selection, opened, trained)
        files.write(file, trained, selection.validation.sources)
    return FinetuneResult(
        path=files.model,
        backbone=file.backbone,
        classes=selection.counts,
        training_images=len(selection.training.sources),
        validation_images=len(
            (selection.training if trained.folds else selection.validation).sources
        ),
        val_accuracy=trained.best.val_accuracy,
        val_loss=trained.val_loss,
        kept=trained.best,
        history=tuple(trained.history),
        unreadable=selection.unreadable,
        seconds=time.monotonic() - started,
        folds=trained.folds,
    )


def _check_backbone(options: FinetuneOptions) -> None:
    """Find the backbone before the images are looked at, which may take minutes.

    Raises:
        ModelError: there is no such model.
        UsageError: it cannot be built for the size that is wanted.
        WeightsError: its weights are not here.
    """
    if options.from_scratch:
        scratch_spec(options)
    elif is_model_file(options.model):
        file = open_model_file(options.model)
        file.network(Path(options.model)).varied(options.variant)
    else:
        spec = find_spec(options.model)
        varied(options.model, spec, options.variant)
        given = None if options.weights is None else os.fspath(options.weights)
        check_features(options.model, given, options.variant)
        find_weights(options.model, spec, given)


def _open(options: FinetuneOptions) -> Model:
    """Open the backbone as the options want it."""
    model = load_model(options.model, weights=options.weights, variant=options.variant)
    return replace(
        model,
        preprocessing=adapt(model.preprocessing, options.resize, options.interpolation),
    )


def _run(options: FinetuneOptions, selection: Selection, model: Model | None) -> dict[str, str]:
    """Return what the outcome of a training depends on."""
    return {
        "imgcls": __version__,
        "options": repr(options.described()),
        "images": selection.digest,
        "weights": model.network.weights_id if model else "",
    }

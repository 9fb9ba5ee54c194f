"""`imgcls finetune`."""

from __future__ import annotations

import re
from typing import Literal

import click

from imgcls.cli import options
from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout
from imgcls.cli.summary import EXIT_SOME_FAILED
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.training.finetune import train_model
from imgcls.core.tasks.training.options import (
    BATCH_SIZE,
    HEADS,
    MOST_FOLDS,
    PATIENCE,
    VAL_SPLIT,
    FinetuneOptions,
    HeadKind,
)
from imgcls.render.training import text

_UNITS = {"h": 3600, "m": 60, "s": 1}


def _seconds(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    """Read hours, minutes and seconds: 90s, 30m, 1h30m; a bare number is seconds."""
    if text is None or re.fullmatch(r"\d+(\.\d+)?", text):
        return None if text is None else float(text)
    if not re.fullmatch(r"(\d+(\.\d+)?[hms])+", text):
        raise click.BadParameter(f"{text}: no length of time; write it like 90s, 30m or 1h30m")
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _layers(_: click.Context, __: click.Parameter, text: str) -> int | str:
    if text != "all" and not text.isdecimal():
        raise click.BadParameter(f"{text}: must be a number of layers, or all")
    return text if text == "all" else int(text)


def _units(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...]:
    parts = text.split(",") if text else []
    if not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{text}: must be numbers of units, like 256 or 256,64")
    return tuple(map(int, parts))


@click.command()
@click.argument("folder", metavar="DATA")
@click.option("-o", "--output", required=True, metavar="FILE", help="The model, .safetensors.")
@click.option(
    "-m",
    "--model",
    metavar="BACKBONE",
    default=DEFAULT_MODEL,
    envvar="IMGCLS_MODEL",
    show_default=True,
    help="A model's name, a model file, or simple-cnn to train a small network from scratch.",
)
@click.option("--weights", metavar="FILE", help="Local weights for it (.h5 or .weights.h5).")
@click.option("--validation", metavar="DIR", help="Class folders, or a CSV file, to validate on.")
@click.option(
    "--val-split",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="P",
    help="Validate on this part of the training images.  "
    f"[default: {VAL_SPLIT}, where DATA has no val or test folder]",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train the last stage for at most N epochs.",
)
@click.option(
    "--unfreeze",
    callback=_layers,
    default="0",
    metavar="N|all",
    help="Then train the last N layers of the backbone too.",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, 10, min_open=True),
    metavar="X",
    help="The learning rate of the last stage.  [default: the stage's own]",
)
@click.option(
    "--augment",
    metavar="none|light|full|CHANGES",
    default="none",
    show_default=True,
    help="Then train on images that are changed at random, anew in every epoch. CHANGES are such "
    "as rotation=40,shift=0.2,shear=0.2,zoom=0.2,colour=0.2,flip.",
)
@click.option(
    "--head",
    type=click.Choice(HEADS),
    default="linear",
    show_default=True,
    help="The head that is trained: one layer, or mlp with 256 hidden units before it.",
)
@options.size
@options.preprocessing
@options.features("What the head stands on: the")
@click.option(
    "--hidden",
    callback=_units,
    metavar="N[,N]",
    help="Hidden layers of the head, with ReLU.  [default: none; 128 for simple-cnn]",
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    metavar="P",
    help="Leave out this part of the hidden units in each step.  [default: 0.5]",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2, max=MOST_FOLDS),
    metavar="K",
    help="Say how well it does over K folds, each asked of a head that learned the others; then "
    "learn all images.",
)
@click.option("--class-weights", is_flag=True, help="Let small classes count as much as large.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=BATCH_SIZE,
    show_default=True,
    metavar="N",
    help="Images in a step; halved where memory runs out.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="The same seed, images and options give the same model.",
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    default=PATIENCE,
    show_default=True,
    metavar="N",
    help="End a stage after N epochs without a lower validation loss.",
)
@click.option(
    "--max-time",
    "max_seconds",
    callback=_seconds,
    metavar="TIME",
    help="End with the best so far after 90s, 30m, 1h30m.",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint of an interrupted run.")
@click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be read.")
@click.option(
    "--force",
    is_flag=True,
    help="Overwrite an existing model; begin anew where --resume could go on.",
)
@click.pass_obj
def finetune(
    console: Console,
    /,
    *,
    folder: str,
    output: str,
    model: str,
    weights: str | None,
    validation: str | None,
    val_split: float | None,
    epochs: int | None,
    unfreeze: int | Literal["all"],
    learning_rate: float | None,
    augment: str,
    head: HeadKind,
    size: int | None,
    resize: Resize | None,
    interpolation: Interpolation | None,
    features_: str | None,
    hidden: tuple[int, ...],
    dropout: float | None,
    folds: int | None,
    class_weights: bool,
    batch_size: int,
    seed: int,
    patience: int,
    max_seconds: float | None,
    resume: bool,
    skip_bad: bool,
    force: bool,
) -> int:
    """Train a classifier on a folder of class folders.

    \b
    imgcls finetune photos/ -o mine.safetensors
    imgcls predict new.jpg -m mine.safetensors

    DATA holds a folder per class; or a training folder of them beside a validation or test folder,
    recognised by how their names begin or end; or is a CSV file with the columns path, label and,
    if wanted, split (train, validation or test). The model is a file for -m of the other commands;
    its history is written beside it, as .csv and .png.
    """
    how = FinetuneOptions(
        model=model,
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
        features=features_,
        hidden=hidden,
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
    result = train_model(folder, output, how)
    write_stdout(text(result))
    return EXIT_SOME_FAILED if result.unreadable else 0

"""Turn a Keras model that was trained elsewhere into a model file."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.files import sha256
from imgcls.core.keras.foreign_model import load_foreign
from imgcls.core.models.model_file import (
    ENDING,
    ModelFile,
    check_labels,
    read_model_file,
    write_model_file,
)
from imgcls.core.models.table import BACKBONES

log = logging.getLogger("imgcls")


def import_model(
    file: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    trust: bool = False,
) -> ModelFile:
    """Write a Keras model of a known network and dense layers as a model file.

    Args:
        file: a whole model, .keras or .h5.
        labels: a file with a label a line, or a JSON list of them, in the order of the scores.
        output: the model file, ending in .safetensors.
        trust: whether the file is known to be harmless: loading it can run what is in it.

    Raises:
        ModelError: the file cannot be loaded, or is no network that imgcls knows.
        OutputError: the output is something else than a model file, or cannot be written.
        UsageError: without `trust`, or where the labels do not fit.
    """
    if not trust:
        raise UsageError(
            f"{file}: a Keras file can run code when it is loaded; if you know where it comes "
            "from, say --trust"
        )
    path = Path(output)
    _check_output(path)
    if not os.path.isfile(file):
        raise ModelError(f"{file}: no such file")
    names = read_labels(labels)
    foreign = load_foreign(Path(file))
    if len(names) != foreign.head.widths[-1]:
        raise UsageError(
            f"{labels}: has {len(names)} labels, {file} {foreign.head.widths[-1]} classes"
        )
    preprocessing = BACKBONES[foreign.backbone].preprocessing
    model = ModelFile(
        backbone=foreign.backbone,
        backbone_weights="stored",
        weights_sha256="",
        head=foreign.head,
        labels=names,
        preprocessing=preprocessing,
        training={"imported_from": Path(file).name, "sha256": sha256(Path(file))},
    )
    write_model_file(path, model, foreign.tensors)
    log.info(
        "%s: a %s; images are prepared for it thus: %s. If it was trained otherwise, its scores "
        "will be wrong.",
        path,
        foreign.backbone,
        preprocessing.in_words(),
    )
    return model


def read_labels(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Read labels from a file: one a line, or a JSON list.

    Raises:
        UsageError: it cannot be read, or they are no labels.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
        return check_labels(json.loads(text) if text.lstrip().startswith("[") else _lines(text))
    except OSError as error:
        raise UsageError(f"{path}: the labels cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: no labels, one a line or a JSON list: {error}") from error


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _check_output(path: Path) -> None:
    if path.suffix != ENDING:
        raise UsageError(f"{path}: a model file ends in {ENDING}")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: no such folder; make it first")
    if not path.exists():
        return
    try:
        read_model_file(path)
    except ModelError:
        raise OutputError(f"{path}: exists and is no model file; name another file") from None

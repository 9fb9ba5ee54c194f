"""Say what is in images: the stream of records that everything else is made of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from imgcls.core.engines.engine import Float32Array
from imgcls.core.engines.model import Model, load_model, usable_cores
from imgcls.core.errors import ImageError, UsageError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.pixels.images import FittedImage, load_image
from imgcls.core.pixels.preprocessing import Interpolation, Preprocessing, Resize
from imgcls.core.pixels.sources import Source, expand
from imgcls.core.tasks.ordered import map_ordered

Status = Literal["ok", "unknown", "error"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class that an image may show.

    Attributes:
        rank: 1 for the best.
        class_id: the wnid of an ImageNet class, or the label of a user's class.
        label: the name of the class.
        score: softmax probability, 0 to 1.
    """

    rank: int
    class_id: str
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one input.

    Attributes:
        path: the input's name, as given.
        status: "ok", "unknown" (the best score is below the least confidence) or "error".
        model: the model's name.
        width: of the upright image in pixels; None on error.
        height: of the upright image in pixels; None on error.
        predictions: the best classes, best first.
        error: why the input failed; None if it did not.
    """

    path: str
    status: Status
    model: str
    width: int | None
    height: int | None
    predictions: tuple[Prediction, ...]
    error: str | None


def classify(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source],
    model: str | Model = DEFAULT_MODEL,
    *,
    top: int = 5,
    min_confidence: float = 0.0,
    resize: Resize | None = None,
    interpolation: Interpolation | None = None,
    workers: int | None = None,
) -> Iterator[Record]:
    """Classify images; yield a record for every input, in order, as they are done.

    Args:
        inputs: files, folders, globs, URLs, "-" for stdin, or sources; read lazily.
        model: a name from the table of models, or an open model.
        top: how many classes to return for each image; 0 is every class.
        min_confidence: an image whose best score is below this is "unknown".
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.

    Yields:
        Records. An image that cannot be read is a record with status "error".

    Raises:
        ModelError: the model is unknown or cannot be run.
        UsageError: `top`, `min_confidence` or `workers` is out of range.
    """
    if top < 0 or not 0 <= min_confidence <= 1 or (workers is not None and workers < 1):
        raise UsageError("top is 0 or more, min_confidence 0 to 1, workers 1 or more")
    opened = model if isinstance(model, Model) else load_model(model)
    preprocessing = adapt(opened.preprocessing, resize, interpolation)
    sources = as_sources(inputs)
    engine = opened.engine

    def work(chunk: list[Source]) -> list[Record]:
        return _classify_chunk(opened, preprocessing, chunk, top, min_confidence)

    return map_ordered(work, sources, workers=workers or usable_cores(), chunk=engine.batch_size)


def adapt(
    preprocessing: Preprocessing, resize: Resize | None, interpolation: Interpolation | None
) -> Preprocessing:
    """Return a model's preprocessing with what the user wants otherwise."""
    return replace(
        preprocessing,
        resize=resize or preprocessing.resize,
        interpolation=interpolation or preprocessing.interpolation,
    )


def top_k(scores: Float32Array, labels: tuple[ClassLabel, ...], k: int) -> tuple[Prediction, ...]:
    """Return the k best classes of one image's scores (classes,), best first; 0 is all.

    Equal scores keep the order of the columns.
    """
    best = np.argsort(-scores, kind="stable")[: k or None]
    return tuple(
        Prediction(rank, labels[column].class_id, labels[column].label, float(scores[column]))
        for rank, column in enumerate(best.tolist(), start=1)
    )


def as_sources(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source],
) -> Iterator[Source]:
    """Yield the sources that paths, globs and URLs name, and sources as they are."""
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    for item in inputs:
        if isinstance(item, Source):
            yield item
        else:
            yield from expand([os.fspath(item)])


def _classify_chunk(
    model: Model,
    preprocessing: Preprocessing,
    chunk: list[Source],
    top: int,
    min_confidence: float,
) -> list[Record]:
    loaded = [_load(source, preprocessing) for source in chunk]
    images = [image for image in loaded if isinstance(image, FittedImage)]
    if images:
        batch = preprocessing.scale(np.stack([image.pixels for image in images]))
        scores = iter(model.scores(batch))
    records = []
    for source, image in zip(chunk, loaded, strict=True):
        if isinstance(image, FittedImage):
            predictions = top_k(next(scores), model.labels, top)
            status: Status = "ok" if predictions[0].score >= min_confidence else "unknown"
            size = image.width, image.height
            records.append(Record(source.name, status, model.name, *size, predictions, None))
        else:
            records.append(Record(source.name, "error", model.name, None, None, (), str(image)))
    return records


def _load(source: Source, preprocessing: Preprocessing) -> FittedImage | ImageError:
    try:
        return load_image(source, preprocessing)
    except ImageError as error:
        return error

"""Say what is in images: the stream of records that everything else is made of."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.engine import EngineName, Precision
from imgcls.core.engines.model import Model, load_model, map_chunks
from imgcls.core.errors import ImageError
from imgcls.core.models.labels import ClassLabel, Language
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.pixels.preprocessing import Interpolation, Resize, Uint8Image
from imgcls.core.pixels.sources import Source, as_sources
from imgcls.core.progress import with_bar
from imgcls.core.tasks.classify.options import MIN_FAMILIARITY, ClassifyOptions
from imgcls.core.tasks.classify.scoring import Scored, adapt, score_chunk
from imgcls.core.words import unknown

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


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """What became of one input.

    Attributes:
        path: the input's name, as given.
        status: "ok", "unknown" (the best score is below the least confidence, or the image is
            too unfamiliar) or "error".
        model: the model's name.
        width: of the upright image in pixels; None on error.
        height: of the upright image in pixels; None on error.
        predictions: the best classes, best first.
        error: why the input failed; None if it did not.
        pixels: what the network saw, uint8 (size, size, 3) RGB; None on error or if it was not
            asked for.
        familiarity: the part of the validation photos of a trained model that are less like what
            it learned than this image, 0 to 1; None for a model that does not know.
        view: what the network saw, for people to look at, uint8 (height, width, 3) RGB; None on
            error or if it was not asked for.
    """

    path: str
    status: Status
    model: str
    width: int | None
    height: int | None
    predictions: tuple[Prediction, ...]
    error: str | None
    pixels: Uint8Image | None = field(default=None, repr=False, compare=False)
    familiarity: float | None = None
    view: Uint8Image | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        """Return what a line of `predict` says."""
        if self.error is not None:
            return f"<Record {self.path}: error: {self.error}>"
        best = self.predictions[0] if self.predictions else None
        if best is None:
            return f"<Record {self.path}: {self.status}>"
        if self.status == "unknown":
            return f"<Record {self.path}: {unknown(best.label, best.score)}>"
        return f"<Record {self.path}: {best.label} {best.score:.2%}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the picture and a table."""
        from imgcls.core.tasks.classify.notebook import record_html

        return record_html(self)


def classify(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source],
    model: str | Model = DEFAULT_MODEL,
    *,
    top: int = 5,
    min_confidence: float = 0.0,
    min_familiarity: float = MIN_FAMILIARITY,
    resize: Resize | None = None,
    interpolation: Interpolation | None = None,
    workers: int | None = None,
    pixels: bool = False,
    precision: Precision = "float32",
    progress: bool = False,
) -> Iterator[Record]:
    """Classify images; yield a record for every input, in order, as they are done.

    Args:
        inputs: files, folders, globs, URLs, "-" for stdin, or sources; read lazily.
        model: a name from the table of models, or an open model.
        top: how many classes to return for each image; 0 is every class.
        min_confidence: an image whose best score is below this is "unknown".
        min_familiarity: with a model that `finetune` wrote, an image of which less than this
            part of the validation photos is less familiar is "unknown" too; 0 for none.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.
        pixels: whether records carry what the network saw.
        precision: of a model given by name; where "int8" was never made, the first 100 inputs
            calibrate it. An open model has its own.
        progress: whether to show on standard error, or in a notebook, how many are done.

    Yields:
        Records. An image that cannot be read is a record with status "error".

    Raises:
        ModelError: the model is unknown or cannot be run.
        UsageError: `top`, `min_confidence`, `min_familiarity` or `workers` is out of range.

    Example:
        >>> import imgcls
        >>> for record in imgcls.classify("sample_images/cat.jpg", top=1):
        ...     print(record.predictions[0].label, round(record.predictions[0].score, 2))
        tiger_cat 0.37
    """
    options = ClassifyOptions(
        top=top,
        min_confidence=min_confidence,
        min_familiarity=min_familiarity,
        resize=resize,
        interpolation=interpolation,
        workers=workers,
        pixels=pixels,
    )
    sources = as_sources(inputs)
    if isinstance(model, Model):
        opened = model
    else:
        opened, sources = load_calibrated(model, sources, precision=precision)
    records = classify_sources(sources, opened, options)
    return with_bar(records, "image") if progress else records


def classify_sources(
    sources: Iterable[Source], model: Model, options: ClassifyOptions
) -> Iterator[Record]:
    """Yield a record for every source, in order, as they are done; see `classify`."""
    return map_chunks(
        model, functools.partial(classify_chunk, model, options), sources, options.workers
    )


def classify_chunk(model: Model, options: ClassifyOptions, chunk: list[Source]) -> list[Record]:
    """Return the records of some sources; for `map_ordered`."""
    preprocessing = adapt(model.preprocessing, options.resize, options.interpolation)
    return [
        _record(model, one, options)
        for one in score_chunk(model, preprocessing, chunk, options.view)
    ]


def load_calibrated(
    ref: str,
    sources: Iterator[Source],
    *,
    weights: str | None = None,
    engine: EngineName = "auto",
    threads: int | None = None,
    precision: Precision = "float32",
    language: Language = "en",
    images: int | None = None,
) -> tuple[Model, Iterator[Source]]:
    """Open a model that may be calibrated on the first of the sources.

    Args:
        ref: as for `load_model`, like all that follow.
        sources: read ahead only where an int8 model must be made.
        weights: a local weights file.
        engine: what runs the model.
        threads: how many processor cores to use.
        precision: "int8" is what needs calibration.
        language: of the labels.
        images: how many there are, if that is known, to choose the engine by.

    Returns:
        The model, and all the sources.
    """
    # What the one takes the other keeps. `ahead` ends with this call, and with it the keeping.
    sources, ahead = itertools.tee(sources)
    model = load_model(
        ref,
        weights=weights,
        engine=engine,
        threads=threads,
        precision=precision,
        calibration=ahead,
        language=language,
        images=images,
    )
    return model, sources


def record_facts(model: Model, options: ClassifyOptions, precision: Precision) -> str:
    """Return all that decides what a record says, besides the input itself."""
    facts = repr((model.labels, model.preprocessing)).encode("utf-8", "surrogateescape")
    content = hashlib.sha256(facts)
    for kernel, bias in model.head.layers if model.head else ():
        content.update(kernel.tobytes() + bias.tobytes())
    if model.familiarity is not None:
        content.update(model.familiarity.directions.tobytes())
        content.update(model.familiarity.closeness.tobytes())
    chosen = replace(options, workers=None)  # how many work at once changes no record
    return repr((model.name, model.network.weights_id, content.hexdigest(), chosen, precision))


def top_k(scores: Float32Array, labels: tuple[ClassLabel, ...], k: int) -> tuple[Prediction, ...]:
    """Return the k best classes of one image's scores (classes,), best first; 0 is all.

    Equal scores keep the order of the columns.
    """
    columns = np.arange(len(scores))
    if 0 < k < len(scores):  # to put all in order takes several times as long
        least = np.partition(scores, -k)[-k]
        columns = np.flatnonzero(scores >= least)  # some more where scores are equal
    best = columns[np.argsort(-scores[columns], kind="stable")][: k or None]
    return tuple(
        Prediction(rank, labels[column].class_id, labels[column].label, float(scores[column]))
        for rank, column in enumerate(best.tolist(), start=1)
    )


def _record(model: Model, scored: Scored, options: ClassifyOptions) -> Record:
    name, image = scored.source.name, scored.image
    if isinstance(image, ImageError) or scored.scores is None:
        return Record(name, "error", model.name, None, None, predictions=(), error=str(image))
    predictions = top_k(scored.scores, model.labels, options.top)
    unfamiliar = scored.familiarity is not None and scored.familiarity < options.min_familiarity
    known = predictions[0].score >= options.min_confidence and not unfamiliar
    return Record(
        path=name,
        status="ok" if known else "unknown",
        model=model.name,
        width=image.width,
        height=image.height,
        predictions=predictions,
        error=None,
        pixels=image.pixels if options.pixels else None,
        view=image.view,
        familiarity=scored.familiarity,
    )

"""Score a model on labelled images."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from imgcls.core.engines.model import Model, load_model, usable_cores
from imgcls.core.errors import UsageError
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.preprocessing import Interpolation, Preprocessing, Resize
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.classify.scoring import Scored, adapt, score_chunk
from imgcls.core.tasks.labelled.evaluation import Evaluation, ScoredImage, summarize
from imgcls.core.tasks.labelled.sources import (
    LABELS_FROM,
    LabelledSource,
    LabelsFrom,
    labelled_sources,
)


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """How a model is scored; see `evaluate`.

    Raises:
        UsageError: a value is none of those that there are.
    """

    labels_from: LabelsFrom = "folder"
    resize: Resize | None = None
    interpolation: Interpolation | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.labels_from not in LABELS_FROM:
            raise UsageError(f"`labels_from` is one of {', '.join(LABELS_FROM)}")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"`workers` must be 1 or more; it is {self.workers}")


def evaluate(
    root: str | os.PathLike[str],
    model: str | Model = DEFAULT_MODEL,
    *,
    labels_from: LabelsFrom = "folder",
    resize: Resize | None = None,
    interpolation: Interpolation | None = None,
    workers: int | None = None,
) -> Evaluation:
    """Score a model on labelled images.

    Args:
        root: a folder of images, or a table: a CSV file with the columns path, label and, if
            wanted, split, of which the rows of test are scored, or else of validation.
        model: a name from the table of models, or an open model.
        labels_from: "folder": an image's label is the first folder below `root` on the way to
            it; "filename": what stands before the first `_` of its name. A label is the class
            id (the wnid of an ImageNet class) or the label of one of the model's classes. A table
            has its labels in it.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.

    Raises:
        UsageError: `root` is no folder, has no class folders, or is a malformed table.
        LabelError: there are labels that the model does not have.
        ModelError: the model is unknown or cannot be run.
        NoImagesError: no image could be read.

    Example:
        >>> import imgcls
        >>> evaluation = imgcls.evaluate("photos", "mine.safetensors")
        >>> evaluation.images, evaluation.labels
        (24, ('squares', 'stripes'))
    """
    options = EvaluateOptions(labels_from, resize, interpolation, workers)
    opened = model if isinstance(model, Model) else load_model(model)
    return summarize(score_images(root, opened, options), opened.labels, opened.name)


def score_images(
    root: str | os.PathLike[str], model: Model, options: EvaluateOptions
) -> Iterator[ScoredImage]:
    """Yield what the model makes of every labelled image, in order, as they are done.

    Raises:
        UsageError: `root` is no folder, has no class folders, or is a malformed table.
        LabelError: there are labels that the model does not have.
    """
    sources = labelled_sources(os.fspath(root), model.labels, model.name, options.labels_from)
    preprocessing = adapt(model.preprocessing, options.resize, options.interpolation)

    def work(chunk: list[LabelledSource | Source]) -> list[ScoredImage]:
        return _score_chunk(model, preprocessing, chunk)

    return map_ordered(
        work,
        sources,
        workers=options.workers or usable_cores(),
        chunk=model.engine.batch_size,
        eager=model.engine.one_by_one,
    )


def _score_chunk(
    model: Model, preprocessing: Preprocessing, chunk: list[LabelledSource | Source]
) -> list[ScoredImage]:
    labelled = [one for one in chunk if isinstance(one, LabelledSource)]
    scored = iter(score_chunk(model, preprocessing, [one.source for one in labelled]))
    return [
        _scored_image(next(scored), one.column)
        if isinstance(one, LabelledSource)
        else ScoredImage(one.name, error=one.reason or "has no label")
        for one in chunk
    ]


def _scored_image(scored: Scored, actual: int) -> ScoredImage:
    scores = scored.scores
    if scores is None:
        return ScoredImage(scored.source.name, error=str(scored.image))
    predicted = int(np.argmax(scores))
    # Equal scores rank in the order of the columns, as in `top_k`.
    rank = 1 + np.sum(scores > scores[actual]) + np.sum(scores[:actual] == scores[actual])
    return ScoredImage(
        path=scored.source.name,
        actual=actual,
        predicted=predicted,
        score=float(scores[predicted]),
        actual_score=float(scores[actual]),
        rank=int(rank),
    )

"""Score a model on labelled images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from imgcls.core.engines.model import Model, load_model, map_chunks
from imgcls.core.errors import UsageError
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.pixels.preprocessing import Interpolation, Preprocessing, Resize
from imgcls.core.pixels.source import Source
from imgcls.core.pixels.sources import expand
from imgcls.core.tasks.classify.options import MIN_FAMILIARITY
from imgcls.core.tasks.classify.scoring import Scored, adapt, score_chunk
from imgcls.core.tasks.labelled.evaluation import Evaluation
from imgcls.core.tasks.labelled.figures import TARGET_ACCURACY, ScoredImage, summarize
from imgcls.core.tasks.labelled.sources import (
    LABELS_FROM,
    LabelledSource,
    LabelsFrom,
    check_root,
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
    unfamiliar: str | os.PathLike[str] | None = None
    target_accuracy: float = TARGET_ACCURACY
    min_familiarity: float = MIN_FAMILIARITY

    def __post_init__(self) -> None:
        if self.labels_from not in LABELS_FROM:
            raise UsageError(f"`labels_from` is one of {', '.join(LABELS_FROM)}")
        for name in ("target_accuracy", "min_familiarity"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise UsageError(f"`{name}` must be between 0 and 1; it is {share}")
        if self.unfamiliar is not None and not os.path.isdir(self.unfamiliar):
            raise UsageError(f"{os.fspath(self.unfamiliar)}: no such folder of photos")
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
    unfamiliar: str | os.PathLike[str] | None = None,
    target_accuracy: float = TARGET_ACCURACY,
    min_familiarity: float = MIN_FAMILIARITY,
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
        unfamiliar: a folder of photos of none of the classes, to see what becomes of them.
        target_accuracy: of what is accepted, 0 to 1, which a `min_confidence` is recommended for.
        min_familiarity: below which a photo is unknown.

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
    options = EvaluateOptions(
        labels_from, resize, interpolation, workers, unfamiliar, target_accuracy, min_familiarity
    )
    check_root(os.fspath(root))
    opened = model if isinstance(model, Model) else load_model(model)
    return evaluate_scored(score_images(root, opened, options), opened, options)


def evaluate_scored(
    scored: Iterable[ScoredImage], model: Model, options: EvaluateOptions
) -> Evaluation:
    """Turn scored images into figures, after them the unfamiliar photos; see `evaluate`."""
    others = None if options.unfamiliar is None else score_unfamiliar(model, options)
    return summarize(
        scored,
        model.labels,
        model.name,
        target_accuracy=options.target_accuracy,
        unfamiliar=others,
        min_familiarity=options.min_familiarity,
    )


def score_unfamiliar(model: Model, options: EvaluateOptions) -> Iterator[ScoredImage]:
    """Yield what the model makes of the photos of none of its classes."""
    assert options.unfamiliar is not None
    preprocessing = adapt(model.preprocessing, options.resize, options.interpolation)

    def work(chunk: list[Source]) -> list[ScoredImage]:
        return [_scored_image(one, 0) for one in score_chunk(model, preprocessing, chunk)]

    return map_chunks(model, work, expand([os.fspath(options.unfamiliar)]), options.workers)


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

    return map_chunks(model, work, sources, options.workers)


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
        familiarity=scored.familiarity,
    )

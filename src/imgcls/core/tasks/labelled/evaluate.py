"""Score a model on labelled images."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from imgcls.core.engines.model import Model, load_model, usable_cores
from imgcls.core.errors import NoImagesError, UsageError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.preprocessing import Interpolation, Preprocessing, Resize
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.classify.scoring import Scored, adapt, score_chunk
from imgcls.core.tasks.labelled import metrics
from imgcls.core.tasks.labelled.metrics import CalibrationBin, ClassScores, Coverage, Ints
from imgcls.core.tasks.labelled.sources import (
    LABELS_FROM,
    LabelledSource,
    LabelsFrom,
    labelled_sources,
    unique_names,
)

_TOP = 5


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


@dataclass(frozen=True, slots=True)
class ScoredImage:
    """What a model made of one labelled image.

    Attributes:
        path: the image.
        actual: the class index of its label.
        predicted: the class index of the best score.
        score: the best score.
        actual_score: the score of `actual`.
        rank: of `actual` among the scores; 1 is right.
        error: why it could not be read; None if it could, and only then do the others mean
            anything.
    """

    path: str
    actual: int = -1
    predicted: int = -1
    score: float = 0.0
    actual_score: float = 0.0
    rank: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misclassified image.

    Attributes:
        path: the image.
        label: what it shows.
        predicted: what the model took it for.
        score: the score of that.
        label_score: the score of `label`.
        label_rank: the rank of `label`.
    """

    path: str
    label: str
    predicted: str
    score: float
    label_score: float
    label_rank: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An image that could not be scored.

    Attributes:
        path: the image.
        error: why.
    """

    path: str
    error: str


@dataclass(frozen=True)
class Evaluation:
    """How well a model does on labelled images.

    Attributes:
        model: the model's name.
        images: how many were scored.
        top1: the share whose best class is right, 0 to 1.
        top5: the share with the right class among the five best, 0 to 1.
        classes: every class that an image shows or was predicted as, in the model's order.
        macro: the plain mean over `classes`.
        weighted: the mean weighted by support.
        labels: the names of `classes`.
        confusion_matrix: int64 (classes, classes), rows true, columns predicted.
        ece: expected calibration error over 15 bins, 0 to 1.
        bins: those bins.
        coverage: coverage and accuracy by least confidence.
        misclassified: in the order of the images.
        errors: images that could not be scored.
    """

    model: str
    images: int
    top1: float
    top5: float
    classes: tuple[ClassScores, ...]
    macro: ClassScores
    weighted: ClassScores
    labels: tuple[str, ...]
    confusion_matrix: Ints
    ece: float
    bins: tuple[CalibrationBin, ...]
    coverage: tuple[Coverage, ...]
    misclassified: tuple[Mistake, ...]
    errors: tuple[Failure, ...]


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
        root: a folder of images.
        model: a name from the table of models, or an open model.
        labels_from: "folder": an image's label is the first folder below `root` on the way to
            it; "filename": what stands before the first `_` of its name. A label is the class
            id (the wnid of an ImageNet class) or the label of one of the model's classes.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.

    Raises:
        UsageError: `root` is no folder, or has no class folders.
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
        UsageError: `root` is no folder, or has no class folders.
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


def summarize(
    scored: Iterable[ScoredImage], classes: Sequence[ClassLabel], model: str
) -> Evaluation:
    """Turn scored images into figures; of an image that is right, four numbers are kept.

    Args:
        scored: read lazily.
        classes: the model's.
        model: its name.

    Raises:
        NoImagesError: no image could be read.
    """
    names = unique_names(classes)
    actual, predicted, rank, confidence = array("q"), array("q"), array("q"), array("d")
    mistakes: list[Mistake] = []
    errors: list[Failure] = []
    for image in scored:
        if image.error is not None:
            errors.append(Failure(image.path, image.error))
            continue
        actual.append(image.actual)
        predicted.append(image.predicted)
        rank.append(image.rank)
        confidence.append(image.score)
        if image.rank > 1:
            mistakes.append(_mistake(image, names))
    if not actual:
        first = f"; the first: {errors[0].path}: {errors[0].error}" if errors else ""
        raise NoImagesError(f"no labelled image could be read ({len(errors)} failed{first})")
    ranks = np.asarray(rank)
    columns = np.union1d(np.asarray(actual), np.asarray(predicted)).tolist()
    labels = tuple(names[column] for column in columns)
    scores = metrics.per_class(np.asarray(actual), np.asarray(predicted), columns, labels)
    macro, weighted = metrics.averages(scores)
    bins = metrics.calibration(np.asarray(confidence), ranks == 1)
    return Evaluation(
        model=model,
        images=len(actual),
        top1=float(np.mean(ranks == 1)),
        top5=float(np.mean(ranks <= _TOP)),
        classes=tuple(scores),
        macro=macro,
        weighted=weighted,
        labels=labels,
        confusion_matrix=metrics.confusion(np.asarray(actual), np.asarray(predicted), columns),
        ece=metrics.expected_calibration_error(bins),
        bins=tuple(bins),
        coverage=tuple(metrics.coverage(np.asarray(confidence), ranks == 1)),
        misclassified=tuple(mistakes),
        errors=tuple(errors),
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


def _mistake(image: ScoredImage, names: tuple[str, ...]) -> Mistake:
    return Mistake(
        path=image.path,
        label=names[image.actual],
        predicted=names[image.predicted],
        score=image.score,
        label_score=image.actual_score,
        label_rank=image.rank,
    )

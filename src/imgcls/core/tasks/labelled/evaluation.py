"""The figures of an evaluation, from what a model made of labelled images."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from imgcls.core.errors import NoImagesError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.labelled import metrics
from imgcls.core.tasks.labelled.metrics import CalibrationBin, ClassScores, Coverage, Ints
from imgcls.core.tasks.labelled.sources import unique_names

_TOP = 5


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

    def _repr_html_(self) -> str:
        """Return what a notebook shows: figures, confusion matrix, classes and mistakes."""
        from imgcls.core.tasks.labelled.notebook import evaluation_html

        return evaluation_html(self)


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
        if not errors:
            raise NoImagesError("no labelled image found; name a folder of images in class folders")
        first = f"{errors[0].path}: {errors[0].error}"
        raise NoImagesError(
            f"no labelled image could be read ({len(errors)} failed; the first: {first})"
        )
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


def _mistake(image: ScoredImage, names: tuple[str, ...]) -> Mistake:
    return Mistake(
        path=image.path,
        label=names[image.actual],
        predicted=names[image.predicted],
        score=image.score,
        label_score=image.actual_score,
        label_rank=image.rank,
    )

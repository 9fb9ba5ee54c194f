"""From what a model made of labelled images to the figures of an evaluation."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from imgcls.core.errors import NoImagesError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.classify.options import MIN_FAMILIARITY
from imgcls.core.tasks.labelled import metrics
from imgcls.core.tasks.labelled.evaluation import Evaluation, Failure, Mistake
from imgcls.core.tasks.labelled.metrics import Bools, Floats
from imgcls.core.tasks.labelled.sources import unique_names
from imgcls.core.tasks.labelled.trust import (
    Unfamiliar,
    area_under_roc,
    recommend,
    risk_coverage,
    wilson,
)

_TOP = 5
TARGET_ACCURACY = 0.99


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
        familiarity: how familiar it is to the model, 0 to 1; None where that does not know.
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
    familiarity: float | None = None


def summarize(
    scored: Iterable[ScoredImage],
    classes: Sequence[ClassLabel],
    model: str,
    *,
    target_accuracy: float = TARGET_ACCURACY,
    unfamiliar: Iterable[ScoredImage] | None = None,
    min_familiarity: float = MIN_FAMILIARITY,
) -> Evaluation:
    """Turn scored images into figures; of an image that is right, five numbers are kept.

    Args:
        scored: read lazily.
        classes: the model's.
        model: its name.
        target_accuracy: what the recommended least confidence is for, 0 to 1.
        unfamiliar: photos of none of the classes, scored after the others.
        min_familiarity: below which a photo is unknown.

    Raises:
        NoImagesError: no image could be read.
    """
    names = unique_names(classes)
    answers = _Answers()
    for image in scored:
        answers.add(image, names)
    answers.check_some()
    actual, predicted = np.asarray(answers.actual), np.asarray(answers.predicted)
    ranks, confidence = np.asarray(answers.rank), np.asarray(answers.confidence)
    right = ranks == 1
    others = None
    if unfamiliar is not None:
        known = np.asarray(answers.familiarity), confidence, right
        others = _unfamiliar(unfamiliar, known, min_familiarity, answers.errors)
    columns = np.union1d(actual, predicted).tolist()
    labels = tuple(names[column] for column in columns)
    scores = metrics.per_class(actual, predicted, columns, labels)
    macro, weighted = metrics.averages(scores)
    bins = metrics.calibration(confidence, right)
    return Evaluation(
        model=model,
        images=len(ranks),
        top1=float(np.mean(right)),
        top5=float(np.mean(ranks <= _TOP)),
        classes=tuple(scores),
        macro=macro,
        weighted=weighted,
        labels=labels,
        confusion_matrix=metrics.confusion(actual, predicted, columns),
        ece=metrics.expected_calibration_error(bins),
        bins=tuple(bins),
        coverage=tuple(metrics.coverage(confidence, right)),
        misclassified=tuple(answers.mistakes),
        errors=tuple(answers.errors),
        interval=wilson(int(right.sum()), len(right)),
        risks=tuple(risk_coverage(confidence, right)),
        recommended=recommend(confidence, right, target_accuracy),
        unfamiliar=others,
    )


class _Answers:
    """What is kept of the images: five numbers of each, the mistakes, and what failed."""

    def __init__(self) -> None:
        self.actual, self.predicted, self.rank = array("q"), array("q"), array("q")
        self.confidence, self.familiarity = array("d"), array("d")
        self.mistakes: list[Mistake] = []
        self.errors: list[Failure] = []

    def add(self, image: ScoredImage, names: Sequence[str]) -> None:
        """Keep an image; `names` are those of the classes."""
        if image.error is not None:
            self.errors.append(Failure(image.path, image.error))
            return
        self.actual.append(image.actual)
        self.predicted.append(image.predicted)
        self.rank.append(image.rank)
        self.confidence.append(image.score)
        self.familiarity.append(_familiarity(image))
        if image.rank > 1:
            self.mistakes.append(_mistake(image, names))

    def check_some(self) -> None:
        """Raise NoImagesError if no image was scored."""
        if self.actual:
            return
        if not self.errors:
            raise NoImagesError("no labelled image found; name a folder of images in class folders")
        first = f"{self.errors[0].path}: {self.errors[0].error}"
        raise NoImagesError(
            f"no labelled image could be read ({len(self.errors)} failed; the first: {first})"
        )


def _familiarity(image: ScoredImage) -> float:
    return math.nan if image.familiarity is None else image.familiarity


def _unfamiliar(
    scored: Iterable[ScoredImage],
    known: tuple[Floats, Floats, Bools],
    min_familiarity: float,
    errors: list[Failure],
) -> Unfamiliar:
    """Compare photos of other things with those of the classes.

    Args:
        scored: the photos.
        known: of the photos of the classes, familiarity (NaN for none), best score, whether right.
        min_familiarity: below which a photo is unknown.
        errors: takes the photos that could not be read.

    Raises:
        NoImagesError: no photo could be read.
    """
    familiarity, confidence, right = known
    found, scores = [], []
    for image in scored:
        if image.error is not None:
            errors.append(Failure(image.path, image.error))
            continue
        found.append(_familiarity(image))
        scores.append(image.score)
    if not found:
        raise NoImagesError("no photo for `unfamiliar` could be read; name a folder of photos")
    values = np.asarray(found)
    if np.isnan(familiarity).any():  # the model has none
        area = area_under_roc(confidence, scores)
        return Unfamiliar(len(found), 0, 0.0, 0.0, area, "score")
    lost = float(np.mean(familiarity[right] < min_familiarity)) if right.any() else 0.0
    return Unfamiliar(
        images=len(found),
        unknown=int(np.sum(values < min_familiarity)),
        lost=lost,
        min_familiarity=min_familiarity,
        auroc=area_under_roc(familiarity, values),
        by="familiarity",
    )


def _mistake(image: ScoredImage, names: Sequence[str]) -> Mistake:
    return Mistake(
        path=image.path,
        label=names[image.actual],
        predicted=names[image.predicted],
        score=image.score,
        label_score=image.actual_score,
        label_rank=image.rank,
    )

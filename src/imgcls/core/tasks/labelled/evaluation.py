"""The figures of an evaluation, from what a model made of labelled images."""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imgcls.core.errors import NoImagesError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.classify.options import MIN_FAMILIARITY
from imgcls.core.tasks.labelled import metrics
from imgcls.core.tasks.labelled.metrics import (
    Bools,
    CalibrationBin,
    ClassScores,
    Coverage,
    Floats,
    Ints,
)
from imgcls.core.tasks.labelled.sources import unique_names
from imgcls.core.tasks.labelled.trust import (
    Recommendation,
    Risk,
    Unfamiliar,
    area_under_roc,
    recommend,
    risk_coverage,
    wilson,
)
from imgcls.core.words import counted

if TYPE_CHECKING:
    from PIL import Image

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
        interval: what `top1` of new photos like these lies in with 95% (Wilson).
        risks: the risk-coverage curve.
        recommended: the least confidence for a wished accuracy; None where none reaches it.
        unfamiliar: how photos of other things fare; None if there were none to look at.
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
    interval: tuple[float, float] = (0.0, 1.0)
    risks: tuple[Risk, ...] = ()
    recommended: Recommendation | None = None
    unfamiliar: Unfamiliar | None = None

    def __repr__(self) -> str:
        """Return how well the model does."""
        failed = f", {len(self.errors)} not scored" if self.errors else ""
        images = counted(self.images, "image")
        return f"<Evaluation {self.model}: {self.top1:.2%} of {images} right{failed}>"

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        heatmap: Callable[[str], Image.Image] | None = None,
    ) -> None:
        """Write the page that `imgcls evaluate --report` writes, or the figures as JSON.

        Args:
            path: the file; its ending says as what it is written: .html or .json. An earlier one
                is written over, another file is not.
            heatmap: draws on the page why a misclassified image, named by its path, was taken for
                what it was; default: the page has the images alone.

        Raises:
            UsageError: the ending is neither.
            OutputError: it cannot be written, or the file is something else.

        Example:
            >>> import imgcls
            >>> model = imgcls.load_model("mine.safetensors")
            >>> evaluation = imgcls.evaluate("photos", model)
            >>> evaluation.save("figures.json")
            >>> def why(path):
            ...     (explanation,) = imgcls.explain(path, model)
            ...     return explanation.overlay(alpha="evidence")
            >>> evaluation.save("report.html", heatmap=why)
        """
        from imgcls.core.tasks.labelled.saving import save_evaluation

        save_evaluation(self, path, heatmap)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: figures, confusion matrix, classes and mistakes."""
        from imgcls.core.tasks.labelled.notebook import evaluation_html

        return evaluation_html(self)


def summarize(
    scored: Iterable[ScoredImage],
    classes: Sequence[ClassLabel],
    model: str,
    *,
    target_accuracy: float = TARGET_ACCURACY,
    unfamiliar: Iterable[ScoredImage] | None = None,
    min_familiarity: float = MIN_FAMILIARITY,
) -> Evaluation:
    """Turn scored images into figures; of an image that is right, four numbers are kept.

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
    actual, predicted, rank, confidence = array("q"), array("q"), array("q"), array("d")
    familiarity = array("d")
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
        familiarity.append(math.nan if image.familiarity is None else image.familiarity)
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
    right = ranks == 1
    others = None
    if unfamiliar is not None:
        known = np.asarray(familiarity), np.asarray(confidence), right
        others = _unfamiliar(unfamiliar, known, min_familiarity, errors)
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
        interval=wilson(int(right.sum()), len(right)),
        risks=tuple(risk_coverage(np.asarray(confidence), right)),
        recommended=recommend(np.asarray(confidence), right, target_accuracy),
        unfamiliar=others,
    )


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
        found.append(math.nan if image.familiarity is None else image.familiarity)
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


def _mistake(image: ScoredImage, names: tuple[str, ...]) -> Mistake:
    return Mistake(
        path=image.path,
        label=names[image.actual],
        predicted=names[image.predicted],
        score=image.score,
        label_score=image.actual_score,
        label_rank=image.rank,
    )

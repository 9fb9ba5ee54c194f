"""How well a model does on labelled images: what an evaluation says, and how it shows itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcls.core.tasks.labelled.metrics import (
    CalibrationBin,
    ClassScores,
    Coverage,
    Ints,
)
from imgcls.core.tasks.labelled.trust import (
    Recommendation,
    Risk,
    Unfamiliar,
)
from imgcls.core.words import counted

if TYPE_CHECKING:
    from PIL import Image


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

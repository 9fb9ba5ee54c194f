"""Results of `evaluate` → one HTML page: figures, confusion matrix, worst mistakes, classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imgcls.core.errors import as_image_error
from imgcls.core.page import data_address, is_page_of, least_size, template, thumbnail
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.sources import Source

if TYPE_CHECKING:
    from PIL import Image

    from imgcls.core.tasks.labelled.evaluation import Evaluation, Mistake

# An image → it, with the heatmap of its best class on it. What it cannot read is an ImageError.
Explain = Callable[[Source], "Image.Image"]

# How many mistakes have pictures; all are listed up to the second number.
MOST_PICTURES = 24
MOST_LISTED = 1000

_MOST_PAIRS = 40
# Of fewer classes the confusion matrix alone says it all, in large numbers.
_FEW_CLASSES = 5
_PICTURE = 224  # pixels
# Where the axis of the risk may end: a quarter of each is a number that one can read.
_RISK_TOPS = (0.01, 0.02, 0.04, 0.08, 0.12, 0.2, 0.4, 0.6, 0.8, 1.0)
# Up to this many classes, the confusion matrix has its numbers and names written out.
_WRITTEN_CLASSES = 24


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the confusion matrix that is not empty.

    Attributes:
        row: of the class that the images show.
        column: of the class that was predicted.
        count: how many images.
        share: of the row's images, 0 to 1.
        right: whether it is on the diagonal.
    """

    row: int
    column: int
    count: int
    share: float
    right: bool


@dataclass(frozen=True, slots=True)
class PicturedMistake:
    """A mistake with its pictures as `data:` addresses; None where there is none."""

    mistake: Mistake
    picture: str | None
    heatmap: str | None


def report_page(evaluation: Evaluation, explain: Explain | None = None) -> Iterator[str]:
    """Yield one self-contained page.

    Args:
        evaluation: the figures.
        explain: draws the heatmap of the predicted class on a mistaken image; without it
            the mistakes stand alone.
    """
    worst = sorted(evaluation.misclassified, key=lambda mistake: -mistake.score)
    cells = _cells(evaluation)
    most = max((one.risk for one in evaluation.risks), default=0.0)
    yield from template("evaluation.html").generate(
        it=evaluation,
        cells=cells,
        pairs=[] if len(evaluation.labels) < _FEW_CLASSES else _pairs(cells),
        few=len(evaluation.labels) < _FEW_CLASSES,
        written=len(evaluation.labels) <= _WRITTEN_CLASSES,
        worst=(_pictured(mistake, explain) for mistake in worst[:MOST_PICTURES]),
        listed=worst[:MOST_LISTED],
        errors=evaluation.errors[:MOST_LISTED],
        side=_PICTURE,
        risk_top=next(top for top in _RISK_TOPS if top >= most),
    )


def is_own(start: bytes) -> bool:
    """Whether a file's first bytes are an earlier report's."""
    return is_page_of("evaluate", start)


def _cells(evaluation: Evaluation) -> list[Cell]:
    matrix = evaluation.confusion_matrix
    images = np.maximum(matrix.sum(axis=1), 1).tolist()
    rows, columns = (places.tolist() for places in np.nonzero(matrix))
    return [
        Cell(
            row, column, int(matrix[row, column]), matrix[row, column] / images[row], row == column
        )
        for row, column in zip(rows, columns, strict=True)
    ]


def _pairs(cells: list[Cell]) -> list[Cell]:
    """Return the most frequent confusions."""
    wrong = [cell for cell in cells if not cell.right]
    return sorted(wrong, key=lambda cell: (-cell.count, -cell.share))[:_MOST_PAIRS]


def _pictured(mistake: Mistake, explain: Explain | None) -> PicturedMistake:
    source = Source(mistake.path)
    picture = _address(lambda: open_image(source.read(), least_size(_PICTURE)).image)
    if picture is None or explain is None:
        return PicturedMistake(mistake, picture, None)
    return PicturedMistake(mistake, picture, _address(lambda: explain(source)))


def _address(draw: Callable[[], Image.Image]) -> str | None:
    try:
        return data_address(thumbnail(draw(), _PICTURE))
    except Exception as error:  # whatever went wrong since it was scored, the page goes on
        as_image_error(error)  # logs it
        return None

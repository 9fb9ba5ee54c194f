from __future__ import annotations

import pytest

from imgcls.core.errors import NoImagesError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.labelled.evaluation import ScoredImage, summarize

CLASSES = [ClassLabel("cat", "cat"), ClassLabel("dog", "dog"), ClassLabel("eel", "eel")]


def image_of(path: str, actual: int, predicted: int, rank: int, score: float = 0.5) -> ScoredImage:
    return ScoredImage(path, actual, predicted, score, 0.1, rank)


def test_figures_of_four_images() -> None:
    scored = [
        image_of("a", 0, 0, 1, 0.9),
        image_of("b", 0, 2, 2, 0.6),
        image_of("c", 2, 2, 1, 0.8),
        image_of("d", 2, 0, 6, 0.7),
        ScoredImage("e", error="truncated JPEG"),
    ]
    result = summarize(scored, CLASSES, "mine")
    assert (result.images, result.top1, result.top5) == (4, 0.5, 0.75)
    assert result.labels == ("cat", "eel")  # nobody showed or predicted dog
    assert result.confusion_matrix.tolist() == [[1, 1], [1, 1]]
    assert [
        (one.path, one.label, one.predicted, one.label_rank) for one in result.misclassified
    ] == [
        ("b", "cat", "eel", 2),
        ("d", "eel", "cat", 6),
    ]
    assert [(one.path, one.error) for one in result.errors] == [("e", "truncated JPEG")]


def test_nothing_readable() -> None:
    with pytest.raises(NoImagesError, match=r"1 failed; the first: e: truncated JPEG"):
        summarize([ScoredImage("e", error="truncated JPEG")], CLASSES, "mine")


def test_nothing_found() -> None:
    with pytest.raises(NoImagesError, match="no labelled image found"):
        summarize([], CLASSES, "mine")

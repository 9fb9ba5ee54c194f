from __future__ import annotations

import pytest

from imgcls.core.errors import NoImagesError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.labelled.figures import ScoredImage, summarize

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


def _image(familiarity: float | None, rank: int = 1, score: float = 0.9) -> ScoredImage:
    return ScoredImage("a.jpg", 0, rank - 1, score, score, rank, familiarity=familiarity)


def test_photos_of_other_things_beside_those_of_the_classes() -> None:
    classes = [ClassLabel("cat", "cat"), ClassLabel("dog", "dog")]
    known = [_image(0.0), _image(0.5), _image(1.0), _image(0.7), _image(0.0, rank=2)]
    others = [_image(0.0), _image(0.0), _image(0.6), ScoredImage("b.jpg", error="no image")]
    found = summarize(known, classes, "m", unfamiliar=others)
    assert found.unfamiliar is not None
    assert (found.unfamiliar.images, found.unfamiliar.unknown) == (3, 2)
    assert found.unfamiliar.lost == 0.25  # of the four that are right
    # 0, 0.5, 1, 0.7 and 0 against 0, 0 and 0.6: 1 + 2 + 3 + 3 + 1 of 15
    assert found.unfamiliar.auroc == pytest.approx(10 / 15)
    assert [one.path for one in found.errors] == ["b.jpg"]


def test_without_familiarity_the_scores_are_compared() -> None:
    classes = [ClassLabel("cat", "cat"), ClassLabel("dog", "dog")]
    others = [_image(None, score=0.5), _image(None, score=0.95)]
    found = summarize([_image(None)], classes, "m", unfamiliar=others).unfamiliar
    assert found is not None
    assert (found.by, found.unknown, found.auroc) == ("score", 0, 0.5)


def test_other_photos_that_cannot_be_read_are_an_error() -> None:
    classes = [ClassLabel("cat", "cat"), ClassLabel("dog", "dog")]
    with pytest.raises(NoImagesError, match="`unfamiliar`"):
        summarize([_image(0.5)], classes, "m", unfamiliar=[])

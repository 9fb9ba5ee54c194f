"""What an evaluation is; its figures are in test_figures.py, its files in test_saving.py."""

from __future__ import annotations

import numpy as np

from imgcls.core.tasks.labelled.evaluation import Evaluation, Failure
from imgcls.core.tasks.labelled.metrics import ClassScores

CAT, DOG = ClassScores("cat", 1.0, 0.5, 2 / 3, 2), ClassScores("dog", 0.5, 1.0, 2 / 3, 1)


def evaluation(*errors: Failure) -> Evaluation:
    mean = ClassScores("macro", 0.75, 0.75, 2 / 3, 3)
    return Evaluation(
        model="mine",
        images=3,
        top1=2 / 3,
        top5=1.0,
        classes=(CAT, DOG),
        macro=mean,
        weighted=mean,
        labels=("cat", "dog"),
        confusion_matrix=np.array([[1, 1], [0, 1]]),
        ece=0.1,
        bins=(),
        coverage=(),
        misclassified=(),
        errors=errors,
    )


def test_it_is_a_line_in_a_prompt() -> None:
    assert repr(evaluation()) == "<Evaluation mine: 66.67% of 3 images right>"
    failed = evaluation(Failure("a.jpg", "truncated JPEG"))
    assert repr(failed) == "<Evaluation mine: 66.67% of 3 images right, 1 not scored>"


def test_it_is_a_table_in_a_notebook() -> None:
    page = evaluation(Failure("a.jpg", "truncated JPEG"))._repr_html_()
    assert "mine on 3 images" in page and "truncated JPEG" in page

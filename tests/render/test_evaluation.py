"""The figures of an evaluation in each format, worked out by hand."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from imgcls.core.tasks.labelled.evaluation import Evaluation, Failure, Mistake
from imgcls.core.tasks.labelled.metrics import ClassScores, Coverage
from imgcls.render.evaluation import EVALUATION_FORMATS
from imgcls.render.style import PLAIN, Style

CAT = ClassScores("cat", 1.0, 2 / 3, 0.8, 3)
DOG = ClassScores("dog", 0.5, 1.0, 2 / 3, 1)


@pytest.fixture
def evaluation() -> Evaluation:
    """Three cats, one taken for a dog; a dog; a photo that is damaged."""
    return Evaluation(
        model="net",
        images=4,
        top1=0.75,
        top5=1.0,
        classes=(CAT, DOG),
        macro=ClassScores("macro", 0.75, 5 / 6, 11 / 15, 4),
        weighted=ClassScores("weighted", 0.875, 0.75, 23 / 30, 4),
        labels=("cat", "dog"),
        confusion_matrix=np.array([[2, 1], [0, 1]]),
        ece=0.4875,
        bins=(),
        coverage=(
            *(Coverage(0.0, 1.0, 0.75), Coverage(0.1, 1.0, 0.75), Coverage(0.5, 0.75, 2 / 3)),
            *(Coverage(0.9, 0.25, 1.0), Coverage(0.99, 0.0, None)),
        ),
        misclassified=(Mistake("3.jpg", "cat", "dog", 0.8, 0.15, 2),),
        errors=(Failure("5.jpg", "truncated JPEG"),),
        interval=(0.3006, 0.9544),
    )


def shown(name: str, evaluation: Evaluation, style: Style = PLAIN) -> str:
    return "".join(EVALUATION_FORMATS[name](evaluation, style))


def test_text(evaluation: Evaluation) -> None:
    assert shown("text", evaluation) == (
        "net: 4 images of 2 classes\n"
        "  top-1               75.00%  (30% to 95% for more such images)\n"
        "  macro F1            73.33%\n"
        "  weighted F1         76.67%\n"
        "  calibration error   48.75%\n"
        "\n"
        "          precision  recall      F1  images\n"
        "cat          100.0%   66.7%   80.0%       3\n"
        "dog           50.0%  100.0%   66.7%       1\n"
        "macro         75.0%   83.3%   73.3%       4\n"
        "weighted      87.5%   75.0%   76.7%       4\n"
        "\n"
        "Confusion: rows true, columns predicted\n"
        "          [0]   [1]\n"
        " [0] cat    2     1\n"
        " [1] dog    ·     1\n"
        "\n"
        "Kept and right by --min-confidence\n"
        "  0     kept 100.0%  right  75.0%\n"
        "  0.5   kept  75.0%  right  66.7%\n"
        "  0.9   kept  25.0%  right 100.0%\n"
        "  no score is high enough for --target-accuracy\n"
        "\n"
        "Misclassified (1)\n"
        "3.jpg: cat, predicted as dog (80.00%)\n"
        "\n"
        "Not scored (1)\n"
        "5.jpg: error: truncated JPEG\n"
    )


def test_top_5_stands_where_it_says_something(evaluation: Evaluation) -> None:
    assert "top-5" not in shown("text", evaluation)
    # A model of many classes can be wrong five times on photos of two.
    assert "  top-5               75.00%\n" in shown("text", replace(evaluation, top5=0.75))
    six = replace(evaluation, labels=tuple("abcdef"), confusion_matrix=np.eye(6, dtype=np.int64))
    assert "  top-5              100.00%\n" in shown("text", six)


def test_csv_is_a_row_a_class(evaluation: Evaluation) -> None:
    assert shown("csv", evaluation) == (
        "label,precision,recall,f1,support\ncat,1,0.666667,0.8,3\ndog,0.5,1,0.666667,1\n"
    )


def test_json(evaluation: Evaluation) -> None:
    found = json.loads(shown("json", evaluation))
    assert list(found) == [
        *("images", "top1", "top5", "classes", "macro", "weighted", "labels"),
        *("confusion_matrix", "ece", "coverage", "misclassified", "errors"),
        *("model", "top1_interval", "reliability", "risk_coverage", "recommended"),
    ]
    assert found["model"] == "net"
    assert found["confusion_matrix"] == [[2, 1], [0, 1]]
    cat = {"label": "cat", "precision": 1.0, "recall": 0.666667, "f1": 0.8, "support": 3}
    assert found["classes"][0] == cat
    assert found["macro"] == {"precision": 0.75, "recall": 0.833333, "f1": 0.733333}
    (mistake,) = found["misclassified"]
    rank = {"score": 0.8, "label_score": 0.15, "label_rank": 2}
    assert mistake == {"path": "3.jpg", "label": "cat", "predicted": "dog", **rank}
    assert found["errors"] == [{"path": "5.jpg", "error": "truncated JPEG"}]
    assert found["coverage"][-1] == {"min_confidence": 0.99, "coverage": 0.0, "accuracy": None}


def test_a_coverage_of_none_has_a_dash_for_its_accuracy(evaluation: Evaluation) -> None:
    one = replace(evaluation, coverage=(Coverage(0.5, 0.0, None),))
    assert "  0.5   kept   0.0%  right      –\n" in shown("text", one)


@pytest.mark.parametrize(("count", "shows"), [(1, False), (2, True), (12, True), (13, False)])
def test_a_matrix_of_one_class_or_of_over_12_is_left_out(
    evaluation: Evaluation, count: int, shows: bool
) -> None:
    labels = tuple(f"c{number}" for number in range(count))
    matrix = np.eye(count, dtype=np.int64)
    sized = replace(evaluation, labels=labels, confusion_matrix=matrix)
    assert ("Confusion" in shown("text", sized)) is shows
    assert len(json.loads(shown("json", sized))["confusion_matrix"]) == count


@pytest.mark.parametrize("count", ["1234", "12345", "1234567"])
def test_a_count_never_runs_into_the_name(evaluation: Evaluation, count: str) -> None:
    large = replace(evaluation, confusion_matrix=np.array([[int(count), 1], [0, int(count)]]))
    lines = shown("text", large).splitlines()
    rows = lines[lines.index("Confusion: rows true, columns predicted") + 1 :][:3]
    assert [row.split() for row in rows] == [
        *(["[0]", "[1]"], ["[0]", "cat", count, "1"], ["[1]", "dog", "·", count]),
    ]
    assert len({len(row) for row in rows}) == 1


def test_a_class_that_no_image_shows_is_not_counted(evaluation: Evaluation) -> None:
    odd = replace(evaluation, classes=(CAT, DOG, ClassScores("cow", 0.0, 0.0, 0.0, 0)))
    assert shown("text", odd).startswith("net: 4 images of 2 classes\n")


def test_names_are_written_out_in_text_and_kept_in_json(evaluation: Evaluation) -> None:
    odd = replace(evaluation, model="\x1bm", errors=(Failure("caf\udce9.jpg", "\x1bx"),))
    assert "\x1b" not in shown("text", odd) and "\\x1bm: 4 images" in shown("text", odd)
    written = shown("json", odd)
    assert written.isascii()
    assert json.loads(written)["errors"] == [{"path": "caf\udce9.jpg", "error": "\x1bx"}]


def test_a_label_is_no_formula(evaluation: Evaluation) -> None:
    labels = replace(CAT, label="=1+1"), replace(DOG, label="a, b")
    odd = replace(evaluation, classes=labels)
    rows = list(csv.reader(io.StringIO(shown("csv", odd))))
    assert [row[0] for row in rows] == ["label", "'=1+1", "a, b"]


def test_one_image_of_one_class(evaluation: Evaluation) -> None:
    one = replace(evaluation, images=1, classes=(replace(CAT, support=1), replace(DOG, support=0)))
    assert shown("text", one).startswith("net: 1 image of 1 class\n")

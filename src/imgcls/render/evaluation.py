"""Results of `evaluate` → text, JSON or CSV: a row per format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from imgcls.core.csv_text import csv_line
from imgcls.core.safe import printable
from imgcls.core.tasks.labelled.result_json import evaluation_json, scores_json
from imgcls.core.words import counted
from imgcls.render.style import PLAIN, Painted, Style, padded

if TYPE_CHECKING:
    from imgcls.core.tasks.labelled.evaluation import Evaluation

CSV_HEADER = ("label", "precision", "recall", "f1", "support")

# Text shows the confusion matrix of up to this many classes; JSON and the report have any.
_MATRIX_CLASSES = 12
_TOP = 5  # of a model with so few classes, the right one is always among the best five
# Of fewer images, the accuracy comes with its interval.
_FEW_IMAGES = 30
_TEXT_COVERAGE = (0.0, 0.25, 0.5, 0.75, 0.9)


def json_object(evaluation: Evaluation, style: Style = PLAIN) -> Iterator[str]:
    """Yield one JSON object."""
    yield evaluation_json(evaluation)


def csv_rows(evaluation: Evaluation, style: Style = PLAIN) -> Iterator[str]:
    """Yield a header, then a row a class."""
    yield csv_line(CSV_HEADER)
    for one in evaluation.classes:
        yield csv_line([one.label, *scores_json(one).values(), one.support])


def text(evaluation: Evaluation, style: Style = PLAIN) -> Iterator[Painted]:
    """Yield the figures for people, line by line."""
    sections = [_headline, _class_table, _coverage, _recommended, _unfamiliar, _lists]
    if 1 < len(evaluation.labels) <= _MATRIX_CLASSES:
        sections.insert(2, _matrix)
    for section in sections:
        yield from map(Painted, section(evaluation, style))


def _headline(evaluation: Evaluation, style: Style) -> Iterator[str]:
    shown = sum(one.support > 0 for one in evaluation.classes)
    counts = f"{counted(evaluation.images, 'image')} of {counted(shown, 'class')}"
    title = f"{printable(evaluation.model)}: {counts}"
    yield style.paint(title, "strong") + "\n"
    says_something = evaluation.top5 < 1 or len(evaluation.labels) > _TOP
    rows = {
        "top-1": evaluation.top1,
        **({"top-5": evaluation.top5} if says_something else {}),
        "macro F1": evaluation.macro.f1,
        "weighted F1": evaluation.weighted.f1,
        "calibration error": evaluation.ece,
    }
    for name, share in rows.items():
        interval = interval_text(evaluation.interval, evaluation.images) if name == "top-1" else ""
        yield f"  {name:<18} {style.bar(share)}{share:>7.2%}{interval}\n"


def interval_text(interval: tuple[float, float], images: int) -> str:
    """Return what stands behind an accuracy of few images: what that of more lies in."""
    low, high = interval
    return f"  ({low:.0%} to {high:.0%} for more such images)" if images < _FEW_IMAGES else ""


def _class_table(evaluation: Evaluation, style: Style) -> Iterator[str]:
    rows = [*evaluation.classes, evaluation.macro, evaluation.weighted]
    head, *labels = padded(["", *(printable(one.label) for one in rows)])
    header = f"{head}  precision  recall      F1  images"
    yield f"\n{style.paint(header, 'strong')}\n"
    for one, label in zip(rows, labels, strict=True):
        yield (
            f"{label}    {one.precision:>7.1%} {one.recall:>7.1%} "
            f"{one.f1:>7.1%} {one.support:>7}  {style.bar(one.f1, 10)}".rstrip()
            + "\n"
        )


def _matrix(evaluation: Evaluation, style: Style) -> Iterator[str]:
    yield f"\n{style.paint('Confusion: rows true, columns predicted', 'strong')}\n"
    head, *names = padded(["", *map(printable, evaluation.labels)])
    column = max(4, *(len(str(count)) for count in evaluation.confusion_matrix.flat)) + 2
    yield f"    {head}" + "".join(f"{f'[{n}]':>{column}}" for n in range(len(names))) + "\n"
    for number, (name, row) in enumerate(
        zip(names, evaluation.confusion_matrix.tolist(), strict=True)
    ):
        counts = "".join(f"{count or '·':>{column}}" for count in row)
        yield f"{f'[{number}]':>4} {name}{counts[1:]}\n"


def _coverage(evaluation: Evaluation, style: Style) -> Iterator[str]:
    yield f"\n{style.paint('Kept and right by --min-confidence', 'strong')}\n"
    for one in evaluation.coverage:
        if one.min_confidence in _TEXT_COVERAGE:
            right = "     –" if one.accuracy is None else f"{one.accuracy:>6.1%}"
            yield f"  {one.min_confidence:<5g} kept {one.coverage:>6.1%}  right {right}\n"


def _recommended(evaluation: Evaluation, style: Style) -> Iterator[str]:
    one = evaluation.recommended
    if one is None:
        yield "  no score is high enough for --target-accuracy\n"
        return
    yield (
        f"  --min-confidence {one.min_confidence:.4g} keeps {one.coverage:.1%}, of which "
        f"{one.accuracy:.1%} are right (asked for: {one.target_accuracy:.4g})\n"
    )


def _unfamiliar(evaluation: Evaluation, style: Style) -> Iterator[str]:
    one = evaluation.unfamiliar
    if one is None:
        return
    yield f"\n{style.paint('Photos of other things', 'strong')}\n"
    if one.by == "familiarity":
        yield (
            f"  {one.unknown} of {counted(one.images, 'photo')} called unknown "
            f"({one.unknown / one.images:.1%}); of the images that are right, {one.lost:.1%}\n"
        )
    else:
        yield "  the model does not know how familiar a photo is, so it calls none unknown\n"
    yield f"  area under the ROC curve by {one.by}: {one.auroc:.3f}\n"


def _lists(evaluation: Evaluation, style: Style) -> Iterator[str]:
    if evaluation.misclassified:
        title = f"Misclassified ({len(evaluation.misclassified)})"
        yield f"\n{style.paint(title, 'strong')}\n"
    for one in evaluation.misclassified:
        predicted = style.paint(printable(one.predicted), "bad")
        yield (
            f"{printable(one.path)}: {printable(one.label)}, predicted as {predicted} "
            f"({one.score:.2%})\n"
        )
    if evaluation.errors:
        title = f"Not scored ({len(evaluation.errors)})"
        yield f"\n{style.paint(title, 'strong')}\n"
    for failure in evaluation.errors:
        error = style.paint("error", "bad")
        yield f"{printable(failure.path)}: {error}: {printable(failure.error)}\n"


EVALUATION_FORMATS: Mapping[str, Callable[[Evaluation, Style], Iterator[str]]] = {
    "text": text,
    "json": json_object,
    "csv": csv_rows,
}

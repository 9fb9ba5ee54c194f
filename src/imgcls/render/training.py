"""What a training ended with → text."""

from __future__ import annotations

from collections.abc import Iterator

from imgcls.core.safe import printable
from imgcls.core.tasks.labelled.trust import wilson
from imgcls.core.tasks.training.finetune import FinetuneResult
from imgcls.core.tasks.training.trained import FoldFigures
from imgcls.render.evaluation import interval_text
from imgcls.render.style import padded


def text(result: FinetuneResult) -> Iterator[str]:
    """Yield the classes, the counts, the accuracy, what was kept and the seconds, a line each."""
    classes = ", ".join(f"{printable(label)} {count}" for label, count in result.classes.items())
    yield f"classes              {len(result.classes)} ({classes})\n"
    yield f"training images      {result.training_images}\n"
    yield f"validation images    {result.validation_images}\n"
    images = result.validation_images
    interval = wilson(round(result.val_accuracy * images), images)
    yield f"validation accuracy  {result.val_accuracy:.2%}{interval_text(interval, images)}\n"
    if result.folds:
        yield from _folds(result.folds, list(result.classes))
    yield f"kept                 {printable(result.kept.in_words())}\n"
    yield f"seconds              {result.seconds:.1f}\n"
    yield f"model                {printable(str(result.path))}\n"


def _folds(folds: FoldFigures, labels: list[str]) -> Iterator[str]:
    """Yield the accuracy over the folds, and the confusion matrix of all of them."""
    parts = ", ".join(f"{accuracy:.1%}" for accuracy in folds.accuracies)
    yield f"over {len(folds.accuracies):>3} folds       {folds.mean:.2%} ± {folds.spread:.2%}"
    yield f"  ({parts})\n"
    yield "confusion            rows true, columns predicted, in the order of the classes\n"
    names = padded(map(printable, labels))
    column = max(len(str(count)) for count in folds.confusion_matrix.flat) + 2
    for name, row in zip(names, folds.confusion_matrix.tolist(), strict=True):
        yield f"  {name}" + "".join(f"{count or '·':>{column}}" for count in row) + "\n"

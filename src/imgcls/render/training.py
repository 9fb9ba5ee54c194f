"""What a training ended with → text."""

from __future__ import annotations

from collections.abc import Iterator

from imgcls.core.tasks.training.finetune import FinetuneResult
from imgcls.render.safe import printable


def text(result: FinetuneResult) -> Iterator[str]:
    """Yield the classes, the counts, the accuracy, what was kept and the seconds, a line each."""
    classes = ", ".join(f"{printable(label)} {count}" for label, count in result.classes.items())
    yield f"classes              {len(result.classes)} ({classes})\n"
    yield f"training images      {result.training_images}\n"
    yield f"validation images    {result.validation_images}\n"
    yield f"validation accuracy  {result.val_accuracy:.2%}\n"
    yield f"kept                 {printable(result.kept.in_words())}\n"
    yield f"seconds              {result.seconds:.1f}\n"
    yield f"model                {printable(str(result.path))}\n"

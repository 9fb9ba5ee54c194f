"""The course of a training: an entry per epoch, and all of them as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from imgcls.core.csv_text import csv_line
from imgcls.core.files import write_atomically


@dataclass(frozen=True, slots=True)
class Epoch:
    """How an epoch went.

    Attributes:
        stage: which part of the training it belongs to.
        epoch: from 1; 0 is what a later stage begins with.
        loss: mean cross-entropy of the training images while they were learned; None in epoch 0.
        accuracy: on the same, 0 to 1; None in epoch 0.
        val_loss: mean cross-entropy of the validation images after the epoch.
        val_accuracy: on the same, 0 to 1.
        seconds: how long it took.
    """

    stage: str
    epoch: int
    loss: float | None
    accuracy: float | None
    val_loss: float
    val_accuracy: float
    seconds: float

    def in_words(self) -> str:
        """Return which it is: "epoch 5 of the features stage"."""
        return f"epoch {self.epoch} of the {self.stage} stage"


HEADER = tuple(field.name for field in fields(Epoch))


def write_csv(path: Path, epochs: Sequence[Epoch]) -> None:
    """Write a row per epoch.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [HEADER, *map(astuple, epochs)]
    write_atomically(path, "".join(map(csv_line, rows)).encode())


def kept_epoch(epochs: Sequence[Epoch], best: Epoch) -> Epoch:
    """Return the epoch that a training keeps.

    It is the best of the last stage; or, where that is what the stage began with, the one of the
    stages before that left it.

    Args:
        epochs: the history.
        best: the best epoch of the last stage.
    """
    before = [epoch for epoch in epochs[: epochs.index(best)] if epoch.epoch]
    if best.epoch or not before:
        return best
    same = [epoch for epoch in before if epoch.stage == before[-1].stage]
    least = min(same, key=lambda epoch: epoch.val_loss)
    begun = next((one for one in epochs if one.stage == least.stage and not one.epoch), None)
    return kept_epoch(epochs, begun) if begun and begun.val_loss <= least.val_loss else least

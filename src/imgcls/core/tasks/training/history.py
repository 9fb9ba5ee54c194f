"""The course of a training: an entry per epoch, as a table and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from imgcls.core.csv_text import csv_line
from imgcls.core.files import atomic_writer, write_atomically


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


HEADER = tuple(field.name for field in fields(Epoch))


def write_csv(path: Path, epochs: Sequence[Epoch]) -> None:
    """Write a row per epoch.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [HEADER, *map(astuple, epochs)]
    write_atomically(path, "".join(map(csv_line, rows)).encode())


def write_plot(path: Path, epochs: Sequence[Epoch]) -> None:
    """Draw the learning curves of loss and accuracy as a PNG.

    Raises:
        OutputError: it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    curves = (("loss", "loss", "val_loss"), ("accuracy", "accuracy", "val_accuracy"))
    positions = range(len(epochs))
    for axes, (title, training, validation) in zip(figure.subplots(1, 2), curves, strict=True):
        for attribute, label in ((training, "training"), (validation, "validation")):
            values = [getattr(epoch, attribute) for epoch in epochs]
            numbers = [float("nan") if value is None else value for value in values]
            axes.plot(positions, numbers, marker=".", label=label)
        for position in positions[1:]:
            if epochs[position].stage != epochs[position - 1].stage:
                axes.axvline(position - 0.5, color="0.7", linestyle=":")
                axes.annotate(epochs[position].stage, (position - 0.4, 0.02),
                              xycoords=("data", "axes fraction"), fontsize="small")  # fmt: skip
        axes.set(title=title, xlabel="epoch")
        axes.legend()
    with atomic_writer(path) as file:
        figure.savefig(file, format="png", metadata={"Software": "imgcls"})

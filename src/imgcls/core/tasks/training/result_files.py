"""What a training leaves: the model, its history as a table and as a plot; all of them or none."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import softmax
from imgcls.core.engines.model import Model, load_model
from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.models.model_file import ENDING, ModelFile, write_model_file
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.classify.classify import classify
from imgcls.core.tasks.training.checkpoints import Checkpoints
from imgcls.core.tasks.training.history import HEADER, write_csv
from imgcls.core.tasks.training.plot import write_plot
from imgcls.core.tasks.training.trained import Trained

log = logging.getLogger("imgcls")

# The greatest difference of a score between the saved file and the trained model.
MAX_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class ResultFiles:
    """The files of one training.

    Attributes:
        model: the model file; the others have its name with other endings.
    """

    model: Path

    @property
    def table(self) -> Path:
        """The history as CSV."""
        return self.model.with_suffix(".history.csv")

    @property
    def plot(self) -> Path:
        """The history as PNG."""
        return self.model.with_suffix(".history.png")

    def checkpoints(self, run: Mapping[str, Any]) -> Checkpoints:
        """Return the checkpoints beside the model, of a training that depends on `run`."""
        return Checkpoints(self.model.with_name(f"{self.model.name}.checkpoints"), run)

    def check_free(self, *, force: bool) -> None:
        """Refuse an output that is there already, or that cannot be written.

        Raises:
            OutputError: without `force`, the model exists; or a file of another kind has the
                name of its history; or there is no such folder.
            UsageError: the name has another ending.
        """
        path = self.model
        if path.suffix != ENDING:
            raise UsageError(f"{path}: a model file ends in {ENDING}")
        if not path.parent.is_dir():
            raise OutputError(f"{path.parent}: no such folder; make it first")
        for file in self._all():
            if file.is_dir():
                raise OutputError(f"{file}: is a folder; name another model file")
        if path.exists() and not force:
            raise OutputError(f"{path}: exists; name another file, or use `force` to overwrite it")
        starts = {self.table: ",".join(HEADER).encode(), self.plot: b"\x89PNG"}
        for beside, start in starts.items():
            if beside.exists() and not force and not beside.read_bytes().startswith(start):
                raise OutputError(f"{beside}: exists and is no training history; use `force`")

    def write(self, file: ModelFile, trained: Trained, sources: Sequence[Source]) -> None:
        """Write all files, the model only if it predicts what the trained model did.

        They are written in full, in the folder of the checkpoints, before the first takes its
        name, and the model takes its name last: on a full disk there is no model without its
        history.

        Args:
            file: the model.
            trained: what it is to predict, and the history.
            sources: the validation images.

        Raises:
            ModelError: it predicts something else.
            OutputError: a file cannot be written.
        """
        folder = self.checkpoints({}).make_folder()
        finished = {folder / f"new{path.suffix}": path for path in self._all()}
        table, plot, model = finished
        try:
            write_csv(table, trained.history)
            write_plot(plot, trained.history, trained.best)
            write_model_file(model, file, trained.backbone)
            checked = [sources[position] for position in trained.checked]
            self._check(load_model(os.fspath(model), images=len(checked)), checked, trained)
            _rename(finished)
        finally:
            for path in finished:
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # it holds the checkpoints of a longer training
                folder.rmdir()

    def _all(self) -> tuple[Path, Path, Path]:
        return self.table, self.plot, self.model

    def _check(self, model: Model, sources: Sequence[Source], trained: Trained) -> None:
        difference = _difference(model, sources, trained)
        if not difference <= MAX_DIFFERENCE:
            raise ModelError(
                f"{self.model}: not written: its scores differ by {difference:.1e} from those of "
                "the trained model; please report this"
            )
        log.info(
            "Checked: the saved model's scores match the trained one (difference ≤ %.0e)",
            max(difference, 1e-7),
        )


def _rename(names: Mapping[Path, Path]) -> None:
    for path, name in names.items():
        try:
            os.replace(path, name)
        except OSError as error:
            raise OutputError(f"{name}: cannot be written: {error.strerror}") from error


def _difference(model: Model, sources: Sequence[Source], trained: Trained) -> float:
    """Return the greatest difference of a score between `classify` and the trained model."""
    expected = softmax(trained.logits)  # (n, classes)
    predicted = np.zeros_like(expected)
    columns = {label.label: column for column, label in enumerate(model.labels)}
    for row, record in zip(predicted, classify(sources, model, top=0), strict=True):
        for prediction in record.predictions:
            row[columns[prediction.label]] = prediction.score
    return float(np.abs(predicted - expected).max())

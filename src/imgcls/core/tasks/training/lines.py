"""What a training says while it runs."""

from __future__ import annotations

from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.progress import Stage
from imgcls.core.words import duration


def title(stage: Stage, epoch: int) -> str:
    """Return a stage's name and an epoch of all that it may have: "features 3/100"."""
    return f"{stage.name} {epoch}/{stage.epochs}"


def status_text(loss: float, accuracy: float, seconds_left: float) -> str:
    """Return how an epoch goes so far, and how long its stage may take."""
    return f"loss {loss:.4f}, accuracy {accuracy:.1%}, {_left(seconds_left)}"


def epoch_line(stage: Stage, epoch: Epoch, seconds_left: float | None) -> str:
    """Return how an epoch went, in 80 columns: "val" stands for validation, as in the table.

    Args:
        stage: its stage.
        epoch: its figures.
        seconds_left: which the stage may take; None where that is not known.
    """
    if epoch.loss is None or epoch.accuracy is None:
        parts = [f"val loss {epoch.val_loss:.4f}, accuracy {epoch.val_accuracy:.1%}"]
    else:
        parts = [
            f"loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.1%}",
            f"val {epoch.val_loss:.4f}, {epoch.val_accuracy:.1%}",
        ]
    if seconds_left is not None and seconds_left >= 1:
        parts.append(_left(seconds_left))
    return f"{title(stage, epoch.epoch)}: {'; '.join(parts)}"


def _left(seconds: float) -> str:
    return f"≤ {duration(seconds)} left" if seconds >= 1 else f"{duration(seconds)} left"

"""The stages of a training, and where it is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from imgcls.core.tasks.training.history import Epoch

# A smaller fall of the validation loss is no reason to go on.
LEAST_GAIN = 5e-4
NEVER = 1e30  # any loss is below it, and JSON can hold it


@dataclass(frozen=True)
class Stage:
    """A part of a training that has a learner of its own.

    Attributes:
        name: for people: "features", "augmented", "fine-tuning" or "scratch".
        epochs: how many at most.
        learning_rate: of a step.
        batch_size: images in a step.
        continues: whether what it begins with is already trained and may stay the best.
        save_every: epochs between two checkpoints.
    """

    name: str
    epochs: int
    learning_rate: float
    batch_size: int
    continues: bool = False
    save_every: int = 1


@dataclass
class Progress:
    """Where a training is; all of it goes into a checkpoint.

    Attributes:
        stage: index of the stage.
        epoch: of the stage, done.
        batch_size: of the stage, maybe halved; 0 before it begins.
        waited: epochs since the validation loss last fell below `awaited`.
        awaited: what it must fall below before patience runs out.
        best: the best epoch of the stage.
        history: of all stages.
        seconds: spent in runs before this one.
    """

    stage: int = 0
    epoch: int = 0
    batch_size: int = 0
    waited: int = 0
    awaited: float = NEVER
    best: Epoch | None = None
    history: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0

    def next_stage(self) -> None:
        """Go to the beginning of the next stage."""
        self.stage += 1
        self.epoch = self.batch_size = self.waited = 0
        self.awaited, self.best = NEVER, None

    def note(self, epoch: Epoch) -> bool:
        """Put an epoch into the history; return whether it is the best of its stage so far."""
        self.history.append(epoch)
        self.waited += 1
        if epoch.val_loss < self.awaited:
            self.awaited, self.waited = epoch.val_loss - LEAST_GAIN, 0
        is_best = self.best is None or epoch.val_loss < self.best.val_loss
        if is_best:
            self.best = epoch
        return is_best

    def described(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Progress:
        """Return what `described` described.

        Raises:
            KeyError, TypeError, ValueError: it describes no such thing.
        """
        best = described["best"]
        history = [Epoch(**epoch) for epoch in described["history"]]
        progress = cls(**{**described, "best": best and Epoch(**best), "history": history})
        counts = (progress.stage, progress.epoch, progress.batch_size, progress.waited)
        if any(type(count) is not int or count < 0 for count in counts):
            raise ValueError("a count is no whole number")
        if not all(map(_is_number, (progress.awaited, progress.seconds))):
            raise ValueError("a figure is no number")
        if progress.best is None or not all(map(_is_whole, (progress.best, *history))):
            raise ValueError("an epoch lacks its figures")
        return progress


def _is_whole(epoch: Epoch) -> bool:
    """Whether an epoch that was read from a file is one, of its type in every field."""
    measured = (epoch.val_loss, epoch.val_accuracy, epoch.seconds)
    learned = (epoch.loss, epoch.accuracy)
    return (
        isinstance(epoch.stage, str)
        and type(epoch.epoch) is int
        and all(map(_is_number, measured))
        and all(figure is None or _is_number(figure) for figure in learned)
    )


def _is_number(value: object) -> bool:
    return type(value) in (int, float)

"""Epochs: learn, look at the validation images, keep the best, stop when nothing improves."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.errors import ModelError
from imgcls.core.tasks.training.batches import Columns, Examples
from imgcls.core.tasks.training.checkpoints import Checkpoint, Checkpoints
from imgcls.core.tasks.training.history import Epoch

log = logging.getLogger("imgcls")

Arrays = Mapping[str, np.ndarray]

# A smaller fall of the validation loss is no reason to go on.
LEAST_GAIN = 5e-4
NEVER = 1e30  # any loss is below it, and JSON can hold it


class Learner(Protocol):
    """What learns; all randomness of an epoch follows from `begin_epoch`."""

    def begin_epoch(self, epoch: int) -> None:
        """Draw this epoch's random numbers from its own seed."""

    def learn(self, inputs: Float32Array, columns: Columns, weights: Float32Array) -> Float32Array:
        """Take one step on a batch; return its logits before.

        Raises:
            MemoryError: the batch is too large.
        """
        ...

    def logits(self, inputs: Float32Array) -> Float32Array:
        """Return the logits of a batch.

        Raises:
            MemoryError: the batch is too large.
        """
        ...

    def weights(self) -> dict[str, np.ndarray]:
        """Return copies of what is learned."""
        ...

    def set_weights(self, weights: Arrays) -> None:
        """Take over what `weights` returned."""

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all that the next step depends on."""
        ...

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""


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
        awaited: what it must fall below, lest patience run out.
        best: the best epoch of the stage.
        history: of all stages.
        seconds: spent on features and epochs, in all runs.
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

    def described(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Progress:
        """Return what `described` described."""
        best = described["best"]
        history = [Epoch(**epoch) for epoch in described["history"]]
        return cls(**{**described, "best": best and Epoch(**best), "history": history})


@dataclass
class Loop:
    """Runs stages.

    Attributes:
        progress: where the training is.
        checkpoints: where it is saved.
        class_weights: how much an image of each class counts, (classes,).
        patience: epochs without improvement after which a stage ends.
        max_seconds: after which all ends, but for the first epoch; None for never.
        seed: of the order of the images.
    """

    progress: Progress
    checkpoints: Checkpoints
    class_weights: Float32Array
    patience: int
    max_seconds: float | None
    seed: int
    resumed: Checkpoint | None = None

    def run(
        self, learner: Learner, stage: Stage, training: Examples, validation: Examples
    ) -> Epoch:
        """Train one stage and leave the learner with the weights of its best epoch.

        The best is the one of least validation loss.

        Returns:
            The best epoch.

        Raises:
            ModelError: a single image is too much for the memory, or the loss is no number.
        """
        progress = self.progress
        progress.batch_size = progress.batch_size or stage.batch_size
        best_weights = learner.weights()
        if self.resumed is not None:
            arrays = self.resumed.arrays
            learner.restore(_within(arrays, "now."))
            best_weights = _within(arrays, "best.")
            self.resumed = None
        elif stage.continues:
            started = time.monotonic()
            val_loss, val_accuracy = self._evaluate(learner, validation)
            seconds = time.monotonic() - started
            progress.best = Epoch(stage.name, 0, None, None, val_loss, val_accuracy, seconds)
            progress.awaited = val_loss - LEAST_GAIN
            progress.history.append(progress.best)
            log.info("%s", _line(stage, progress.best, None))
        while progress.epoch < stage.epochs and progress.waited < self.patience:
            if progress.best is not None and self.is_late():
                log.info("%s: stopped by the time limit (--max-time)", stage.name)
                break
            epoch = self._epoch(learner, stage, training, validation)
            progress.history.append(epoch)
            if progress.best is None or epoch.val_loss < progress.best.val_loss:
                progress.best = epoch
                best_weights = learner.weights()
            progress.waited += 1
            if epoch.val_loss < progress.awaited:
                progress.awaited, progress.waited = epoch.val_loss - LEAST_GAIN, 0
            if epoch.epoch % stage.save_every == 0:
                self._save(learner, best_weights)
            log.info("%s", _line(stage, epoch, self._time_left(stage, epoch)))
        assert progress.best is not None  # there is one epoch at least
        learner.set_weights(best_weights)
        return progress.best

    def is_late(self) -> bool:
        """Whether the time is up."""
        return self.max_seconds is not None and self.progress.seconds >= self.max_seconds

    def _epoch(
        self, learner: Learner, stage: Stage, training: Examples, validation: Examples
    ) -> Epoch:
        """Train one epoch, with half the batch as often as memory runs out."""
        progress = self.progress
        before = learner.state()
        while True:
            started = time.monotonic()
            try:
                loss, accuracy = self._learn(learner, training, started)
                val_loss, val_accuracy = self._evaluate(learner, validation)
            except MemoryError as error:
                if progress.batch_size == 1:
                    raise ModelError(
                        "memory ran out on a single image; free some, or take a smaller model"
                    ) from error
                progress.batch_size //= 2
                log.warning("memory ran out; going on with --batch-size %d", progress.batch_size)
                learner.restore(before)
                continue
            if not np.isfinite([loss, val_loss]).all():
                raise ModelError("the loss is no longer a number; lower --learning-rate")
            progress.epoch += 1
            seconds = time.monotonic() - started
            progress.seconds += seconds
            return Epoch(
                stage.name, progress.epoch, loss, accuracy, val_loss, val_accuracy, seconds
            )

    def _learn(self, learner: Learner, training: Examples, started: float) -> tuple[float, float]:
        """Show all training images once, or as many as there is time for."""
        number = self.progress.epoch + 1
        learner.begin_epoch(number)
        random = np.random.default_rng((self.seed, self.progress.stage, number))
        order = random.permutation(len(training.columns)).tolist()
        losses = _Sums()
        for inputs, columns in training.batches(order, self.progress.batch_size, number):
            logits = learner.learn(inputs, columns, self.class_weights[columns])
            losses.add(logits, columns)
            spent = self.progress.seconds + time.monotonic() - started
            if self.max_seconds is not None and spent > self.max_seconds:
                break
        return losses.means()

    def _evaluate(self, learner: Learner, validation: Examples) -> tuple[float, float]:
        sums = _Sums()
        order = range(len(validation.columns))
        for inputs, columns in validation.batches(order, self.progress.batch_size, 0):
            sums.add(learner.logits(inputs), columns)
        return sums.means()

    def _save(self, learner: Learner, best_weights: Arrays) -> None:
        arrays = {f"now.{name}": array for name, array in learner.state().items()}
        arrays |= {f"best.{name}": array for name, array in best_weights.items()}
        self.checkpoints.save(Checkpoint(self.progress.described(), arrays))

    def _time_left(self, stage: Stage, epoch: Epoch) -> float:
        left = (stage.epochs - epoch.epoch) * epoch.seconds
        if self.max_seconds is not None:
            left = min(left, max(0.0, self.max_seconds - self.progress.seconds))
        return left


class _Sums:
    """Loss and hits of the images so far."""

    def __init__(self) -> None:
        self.images, self.loss, self.hits = 0, 0.0, 0

    def add(self, logits: Float32Array, columns: Columns) -> None:
        scores = softmax(logits)[np.arange(len(columns)), columns]
        self.loss -= float(np.log(np.maximum(scores, 1e-12)).sum())
        self.hits += int((logits.argmax(axis=1) == columns).sum())
        self.images += len(columns)

    def means(self) -> tuple[float, float]:
        return self.loss / max(1, self.images), self.hits / max(1, self.images)


def _within(arrays: Arrays, prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _line(stage: Stage, epoch: Epoch, seconds_left: float | None) -> str:
    parts = []
    if epoch.loss is not None and epoch.accuracy is not None:
        parts += [f"loss {epoch.loss:.4f}", f"accuracy {epoch.accuracy:.2%}"]
    parts += [f"validation loss {epoch.val_loss:.4f}", f"accuracy {epoch.val_accuracy:.2%}"]
    if seconds_left is not None:
        parts.append(f"at most {seconds_left:.0f} s left")
    return f"{stage.name} {epoch.epoch}/{stage.epochs}: {', '.join(parts)}"

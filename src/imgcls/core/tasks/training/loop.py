"""Epochs: learn, look at the validation images, keep the best, stop when nothing improves."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.errors import ModelError
from imgcls.core.progress import progress
from imgcls.core.tasks.training.batches import Columns, Examples, epoch_order
from imgcls.core.tasks.training.checkpoints import Checkpoint, Checkpoints
from imgcls.core.tasks.training.history import Epoch, kept_epoch
from imgcls.core.tasks.training.lines import epoch_line, status_text, title
from imgcls.core.tasks.training.progress import Progress, Stage

log = logging.getLogger("imgcls")

T = TypeVar("T")

Arrays = Mapping[str, np.ndarray]


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
        started: when this run began, by `time.monotonic`: opening the model and computing
            features count too.
        resumed: what to go on from.
        reserve: seconds that will be needed after the last epoch.
        last_passes: how many times as long as the validation images take then.
    """

    progress: Progress
    checkpoints: Checkpoints
    class_weights: Float32Array
    patience: int
    max_seconds: float | None
    seed: int
    started: float = field(default_factory=time.monotonic)
    resumed: Checkpoint | None = None
    reserve: float = 0.0
    last_passes: float = 0.0
    _evaluation_seconds: float = field(default=0.0, init=False)

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
        now = self.progress
        now.batch_size = now.batch_size or stage.batch_size
        best_weights = learner.weights()
        if self.resumed is not None:
            best_weights = self._restore(learner, self.resumed)
            self.resumed = None
        elif stage.continues:
            self._begin(learner, stage, validation)
        while now.epoch < stage.epochs and now.waited < self.patience:
            if now.best is not None and self.is_late():
                log.info("%s: stopped by the time limit, `max_seconds`", stage.name)
                break
            epoch = self._epoch(learner, stage, training, validation)
            if now.note(epoch):
                best_weights = learner.weights()
            if epoch.epoch % stage.save_every == 0:
                self._save(learner, best_weights)
            log.info(
                "%s", epoch_line(stage, epoch, self._time_left(stage, epoch.epoch, epoch.seconds))
            )
        assert now.best is not None  # there is one epoch at least
        learner.set_weights(best_weights)
        if now.epoch and not now.best.epoch:
            kept = kept_epoch(now.history, now.best)
            log.info("%s found nothing better; kept %s", stage.name, kept.in_words())
        return now.best

    def _restore(self, learner: Learner, resumed: Checkpoint) -> dict[str, np.ndarray]:
        """Let the learner go on from a checkpoint; return the weights of its best epoch."""
        now, best = _within(resumed.arrays, "now."), _within(resumed.arrays, "best.")
        if _shapes(now) != _shapes(learner.state()) or _shapes(best) != _shapes(learner.weights()):
            raise self.checkpoints.unfit()
        learner.restore(now)
        return best

    def is_late(self) -> bool:
        """Whether the time is up when the validation images and the rest are done."""
        to_come = self._evaluation_seconds * (1 + self.last_passes) + self.reserve
        return self.max_seconds is not None and self._spent() + to_come >= self.max_seconds

    def _spent(self) -> float:
        return self.progress.seconds + time.monotonic() - self.started

    def _begin(self, learner: Learner, stage: Stage, validation: Examples) -> None:
        """Make what a stage begins with its best so far."""
        started = time.monotonic()
        val_loss, val_accuracy = self._within_memory(
            lambda: self._evaluate(learner, validation, title(stage, 0)), learner
        )
        seconds = time.monotonic() - started
        best = Epoch(stage.name, 0, None, None, val_loss, val_accuracy, seconds)
        self.progress.note(best)
        log.info("%s", epoch_line(stage, best, None))

    def _epoch(
        self, learner: Learner, stage: Stage, training: Examples, validation: Examples
    ) -> Epoch:
        """Train one epoch."""
        started = time.monotonic()

        def work() -> tuple[float, float, float, float]:
            learned = self._learn(learner, stage, training)
            validating = f"{title(stage, self.progress.epoch + 1)} validation"
            return *learned, *self._evaluate(learner, validation, validating)

        loss, accuracy, val_loss, val_accuracy = self._within_memory(work, learner)
        if not np.isfinite([loss, val_loss]).all():
            raise ModelError("the loss is no longer a number; lower `learning_rate`")
        self.progress.epoch += 1
        seconds = time.monotonic() - started
        number = self.progress.epoch
        return Epoch(stage.name, number, loss, accuracy, val_loss, val_accuracy, seconds)

    def _within_memory(self, work: Callable[[], T], learner: Learner) -> T:
        """Do some work, from its beginning with half the batch as often as memory runs out."""
        now, before = self.progress, learner.state()
        while True:
            try:
                return work()
            except MemoryError as error:
                if now.batch_size == 1:
                    raise ModelError(
                        "memory ran out on a single image; free some, or take a smaller model"
                    ) from error
                now.batch_size //= 2
                log.warning("memory ran out; going on with `batch_size` %d", now.batch_size)
                learner.restore(before)

    def _learn(self, learner: Learner, stage: Stage, training: Examples) -> tuple[float, float]:
        """Show all training images once, or as many as there is time for."""
        started, number = time.monotonic(), self.progress.epoch + 1
        learner.begin_epoch(number)
        order = epoch_order(len(training.columns), self.seed, self.progress.stage, number)
        losses = _Sums()

        def status() -> str:
            done = losses.images / len(order)
            whole = (time.monotonic() - started) / done if done else 0.0
            left = self._time_left(stage, number - 1 + done, whole)
            return status_text(*losses.means(), left) if done else ""

        batches = training.batches(order, self.progress.batch_size, number)
        for inputs, columns in progress(
            batches, "image", len(order), title=title(stage, number), status=status, amount=_size
        ):
            logits = learner.learn(inputs, columns, self.class_weights[columns])
            losses.add(logits, columns)
            if self.is_late():
                break
        return losses.means()

    def _evaluate(
        self, learner: Learner, validation: Examples, title: str = ""
    ) -> tuple[float, float]:
        started, sums = time.monotonic(), _Sums()
        order = range(len(validation.columns))
        batches = validation.batches(order, self.progress.batch_size, 0)
        for inputs, columns in progress(batches, "image", len(order), title=title, amount=_size):
            sums.add(learner.logits(inputs), columns)
        self._evaluation_seconds = time.monotonic() - started
        return sums.means()

    def _save(self, learner: Learner, best_weights: Arrays) -> None:
        arrays = {f"now.{name}": array for name, array in learner.state().items()}
        arrays |= {f"best.{name}": array for name, array in best_weights.items()}
        described = self.progress.described() | {"seconds": self._spent()}
        self.checkpoints.save(Checkpoint(described, arrays))

    def _time_left(self, stage: Stage, epochs: float, seconds: float) -> float:
        """Return how long the stage may take after so many epochs if each takes so many seconds."""
        left = (stage.epochs - epochs) * seconds
        if self.max_seconds is not None:
            left = min(left, max(0.0, self.max_seconds - self._spent()))
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


def _shapes(arrays: Arrays) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in arrays.items()}


def _size(batch: tuple[Float32Array, Columns]) -> int:
    return len(batch[1])

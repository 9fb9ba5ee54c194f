"""What label smoothing, warm-up and a cosine gain in `finetune`: `python benchmarks/schedules.py`.

    python benchmarks/schedules.py DATA [--size 96] [--seeds 5] [--network]

DATA holds `train` and `test`, as `finetune` takes them. Each seed learns from half of the training
photos. Accuracy and loss are those on the test photos in the epoch of least loss, the loss at its
best temperature, since that is what the model file has. `--network` measures fine-tuning of the
last 20 layers, which takes minutes a seed; else heads on features are measured.
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model, load_model
from imgcls.core.keras.network_learner import NetworkLearner, weighted_backbone
from imgcls.core.models.head import Head, Standardization
from imgcls.core.models.variant import Variant
from imgcls.core.tasks.training.batches import Examples, FixedFeatures, Images
from imgcls.core.tasks.training.calibration import fit_temperature, log_loss
from imgcls.core.tasks.training.features import cached_features
from imgcls.core.tasks.training.head_learner import HeadLearner, fresh_head
from imgcls.core.tasks.training.options import STAGES, FinetuneOptions
from imgcls.core.tasks.training.selection import LabelledImages, Selection, select_images

_BATCH = 32
_HEAD_EPOCHS, _NETWORK_EPOCHS, _LAYERS = 25, 5, 20


class Smoothed(HeadLearner):
    """Learns a head with a part of each label spread evenly over all classes."""

    smoothing = 0.0
    classes = 0

    def learn(
        self, inputs: Float32Array, columns: np.ndarray, weights: Float32Array
    ) -> Float32Array:
        """Take one step: each photo counts as its class, and a little as every class."""
        classes = self.classes
        every = np.repeat(np.arange(classes), len(columns))
        parts = [np.full(len(columns), 1 - self.smoothing), np.full(len(every), self.smoothing)]
        parts[1] /= classes
        logits = super().learn(
            np.tile(inputs, (classes + 1, 1)),
            np.concatenate([columns, every]),
            ((classes + 1) * np.concatenate(parts)).astype(np.float32),
        )
        return logits[: len(columns)]


class Scheduled(NetworkLearner):
    """Learns a network with a rate that changes from step to step."""

    rate: Callable[[int], float]
    done = 0

    def learn(
        self, inputs: Float32Array, columns: np.ndarray, weights: Float32Array
    ) -> Float32Array:
        """Take one step at its own rate."""
        self._optimizer.learning_rate.assign(self.rate(self.done))
        self.done += 1
        return super().learn(inputs, columns, weights)


def _constant(rate: float, step: int) -> float:
    return rate


def cosine(peak: float, steps: int, warm: float = 0.1) -> Callable[[int], float]:
    """Return step → rate: up to the peak in the first tenth, and down to 0 along a cosine."""

    def rate(step: int) -> float:
        rising = max(1.0, warm * steps)
        if step < rising:
            return peak * (step + 1) / rising
        return peak * (1 + math.cos(math.pi * (step - rising) / (steps - rising))) / 2

    return rate


@dataclass(frozen=True)
class Outcome:
    """On the test photos: accuracy in percent, and loss at the best temperature."""

    accuracy: float
    loss: float


def run(
    learner: HeadLearner | NetworkLearner,
    training: Examples,
    validation: Examples,
    order: np.ndarray,
    epochs: int,
    seed: int,
) -> Outcome:
    """Train, and return what the epoch of least loss is worth."""
    found = [_outcome(learner, validation)]
    for epoch in range(1, epochs + 1):
        learner.begin_epoch(epoch)
        shuffled = np.random.default_rng((seed, epoch)).permutation(order).tolist()
        for inputs, columns in training.batches(shuffled, _BATCH, epoch):
            learner.learn(inputs, columns, np.ones(len(columns), np.float32))
        found.append(_outcome(learner, validation))
    return min(found, key=lambda outcome: outcome.loss)


def _outcome(learner: HeadLearner | NetworkLearner, validation: Examples) -> Outcome:
    columns = validation.columns
    batches = validation.batches(range(len(columns)), _BATCH, 0)
    logits = np.concatenate([learner.logits(inputs) for inputs, _ in batches])
    loss = log_loss(logits / np.float32(fit_temperature(logits, columns)), columns)
    return Outcome(100 * float((logits.argmax(axis=1) == columns).mean()), float(loss))


def heads(
    model: Model, selection: Selection, seed: int
) -> Iterator[tuple[str, HeadLearner, FixedFeatures, FixedFeatures, np.ndarray]]:
    """Yield a fresh learner for every kind of head and every smoothing."""
    training, validation = (
        FixedFeatures(cached_features(model, side.sources, side.digests), side.columns)
        for side in (selection.training, selection.validation)
    )
    half = _half(training.columns, seed)
    standardization = Standardization.of(training.features[half])
    for name, hidden in (("linear", ()), ("mlp", (256,))):
        widths = (training.features.shape[1], *hidden, len(selection.labels))
        head = Head.of_standardized(fresh_head(widths, seed).layers, standardization)
        for smoothing in (0.0, 0.1):
            learner = Smoothed(
                head, standardization, learning_rate=1e-3, dropout=0.5 if hidden else 0, seed=seed
            )
            learner.smoothing, learner.classes = smoothing, widths[-1]
            yield f"{name}, smoothing {smoothing}", learner, training, validation, half


def networks(
    model: Model, selection: Selection, seed: int
) -> Iterator[tuple[str, NetworkLearner, Images, Images, np.ndarray]]:
    """Yield a learner for every schedule; all begin with the same trained head."""
    (_, first, shown, aside, half), *_ = heads(model, selection, seed)
    run(first, shown, aside, half, 15, seed)
    head, standardization = first.head(), Standardization.of(shown.features[half])
    steps = _NETWORK_EPOCHS * -(-len(half) // _BATCH)
    usual = STAGES["fine-tuning"].learning_rate
    schedules: dict[str, Callable[[int], float]] = {}
    for peak in (usual, 10 * usual):
        schedules[f"constant {peak:g}"] = functools.partial(_constant, peak)
        schedules[f"warm-up and cosine from {peak:g}"] = cosine(peak, steps)
    for name, rate in schedules.items():
        learner = Scheduled(
            weighted_backbone(model.network),
            head,
            standardization,
            layers=_LAYERS,
            learning_rate=usual,
            dropout=0.0,
            seed=seed,
        )
        learner.rate = rate
        sides = (_images(model, side, seed) for side in (selection.training, selection.validation))
        yield name, learner, *sides, half  # type: ignore[misc]


def _images(model: Model, side: LabelledImages, seed: int) -> Images:
    return Images(side.sources, side.columns, model.preprocessing, None, seed)


def _half(columns: np.ndarray, seed: int) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(len(columns))
    return order[: len(order) // 2]


def main() -> None:
    """Print a table of means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--network", action="store_true")
    given = parser.parse_args()
    model = load_model(variant=Variant(given.size))
    selection = select_images(given.data, FinetuneOptions())
    outcomes: dict[str, list[Outcome]] = {}
    for seed in range(given.seeds):
        for name, learner, training, validation, half in (networks if given.network else heads)(
            model, selection, seed
        ):
            epochs = _NETWORK_EPOCHS if given.network else _HEAD_EPOCHS
            outcome = run(learner, training, validation, half, epochs, seed)
            outcomes.setdefault(name, []).append(outcome)
            print(f"seed {seed}: {name}: {outcome.accuracy:.2f}% {outcome.loss:.4f}", flush=True)
    print("\n| what | accuracy | loss |\n|---|---|---|")
    for name, found in outcomes.items():
        accuracies, losses = [o.accuracy for o in found], [o.loss for o in found]
        print(
            f"| {name} | {np.mean(accuracies):.2f}% ± {np.std(accuracies):.2f} | "
            f"{np.mean(losses):.4f} ± {np.std(losses):.4f} |"
        )


if __name__ == "__main__":
    main()

"""Features per second: a frozen backbone over a folder, ours against the usual Keras loop.

    python benchmarks/features.py DATA

DATA is a folder of class folders. Both sides run EfficientNet-Lite0 with the same weights over
the same files, after a warm-up on a few; ours without what it remembers of earlier runs.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from imgcls.core.engines.keras import build_weighted, import_keras
from imgcls.core.engines.model import Model, load_model
from imgcls.core.engines.trained import cut_top
from imgcls.core.tasks.dataset import read_dataset
from imgcls.core.tasks.training.features import compute_features

REPEATS = 3
DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "cars_flowers" / "train"


def rows(folder: Path = DATA) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, ours and the usual in features/s, and their ratio."""
    model = load_model()
    count = sum(1 for _ in read_dataset(folder).examples())
    sides = (_ours(model, folder), _usual(model, folder))
    rates: list[list[float]] = [[], []]
    for _ in range(REPEATS):  # in turn, so that what else the machine does meets both
        for run, found in zip(sides, rates, strict=True):
            started = time.perf_counter()
            assert run() == count
            found.append(count / (time.perf_counter() - started))
    ours, usual = (statistics.median(found) for found in rates)
    yield "features of finetune, images/s", ours, usual, ours / usual


def _ours(model: Model, folder: Path) -> Callable[[], int]:
    def run() -> int:
        sources = (example.source for example in read_dataset(folder).examples())
        return sum(1 for _ in compute_features(model, sources))

    run()
    return run


def _usual(model: Model, folder: Path) -> Callable[[], int]:
    """Do as tutorials do: image_dataset_from_directory, resized to the input, and predict."""
    keras = import_keras()
    backbone = cut_top(build_weighted(model.network), model.network.spec)
    size = model.preprocessing.size

    def run() -> int:
        images = keras.utils.image_dataset_from_directory(
            folder, image_size=(size, size), batch_size=32, shuffle=False, verbose=False
        )
        scaled = images.map(lambda batch, _: (batch - 127.0) / 128.0)
        return len(backbone.predict(scaled, verbose=0))

    run()
    return run


if __name__ == "__main__":
    for name, ours, usual, ratio in rows(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA):
        print(f"{name}: {ours:.0f} against {usual:.0f}, {ratio:.2f} times")

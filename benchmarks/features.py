"""What `finetune` does first: a frozen backbone over a folder, against the usual Keras way."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import Row, multiplied, paired

from imgcls.core.engines.model import Model, load_model
from imgcls.core.pixels.sources import walk
from imgcls.core.tasks.training.features import compute_features

_PHOTOS = 200
_BATCH = 32


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the row of features per second, from the files on.

    Both sides have their model open, use the same weights and have seen the files before; what
    ours remembers of earlier runs is not used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = photos or multiplied(Path(scratch) / "photos", _PHOTOS)
        model = load_model()
        count = sum(1 for _ in walk(str(folder)))
        pair = paired(_ours(model, folder, count), _usual(model, folder, count), runs)
        what = f"features of {count} photos (usual: `predict` over `image_dataset_from_directory`)"
        speeds = (f"{count / cost:.0f}/s" for cost in (pair.ours, pair.usual))
        yield Row(what, *speeds, pair.ratio, 1.5)


def _ours(model: Model, folder: Path, count: int) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        assert sum(1 for _ in compute_features(model, walk(str(folder)))) == count
        return time.perf_counter() - started

    return run


def _usual(model: Model, folder: Path, count: int) -> Callable[[], float]:
    """Do as tutorials do: resize to the network's input, scale, predict in batches of 32."""
    from imgcls.core.keras.build import build_weighted
    from imgcls.core.keras.graph import cut_top
    from imgcls.core.keras.start import import_keras

    keras = import_keras()
    backbone = cut_top(build_weighted(model.network), model.network.spec)
    size = model.preprocessing.size

    def run() -> float:
        started = time.perf_counter()
        images = keras.utils.image_dataset_from_directory(
            folder, labels=None, image_size=(size, size), batch_size=_BATCH, verbose=False
        )
        scaled = images.map(lambda batch: (batch - 127.0) / 128.0)
        assert len(backbone.predict(scaled, verbose=0)) == count
        return time.perf_counter() - started

    return run

"""`features`: against the usual Keras way, beside `classify`, and from the cache."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import SAMPLES, Row, compared, environment, in_turn
from scaling import native_bound

import imgcls
from imgcls.core.engines.model import Model, load_model

_PHOTOS = 200
_BATCH = 32


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows of features per second, from the files on.

    All have their model open, use the same weights and have seen the files before. Where it is
    not the cache that is measured, each run has an empty one.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = photos or _different(Path(scratch) / "photos", _PHOTOS)
        model = load_model()
        count = sum(1 for _ in imgcls.features(folder, model))
        usual = _usual(model, folder, count)
        others = (
            ("usual: `predict` over `image_dataset_from_directory`", _ours, usual, 1.5),
            ("beside: `classify` on the same", _ours, _classified, 0.9),
            ("again, from the cache; beside: computed", _known, _ours, 3),
        )
        names = sorted(path for path in folder.rglob("*") if path.is_file())
        for what, ours, other, goal in others:
            ways = {
                "ours": _timed(ours, model, folder, count),
                "usual": _timed(other, model, folder, count),
            }
            if ours is _ours:  # from the cache, nothing is decoded
                ways["bound"] = lambda: count / native_bound(photos=names)
            title = f"features of {count} photos ({what})"
            yield compared(title, in_turn(ways, runs), lambda cost: f"{count / cost:.0f}/s", goal)


def _different(folder: Path, count: int) -> Path:
    """Make a folder of so many files of different content, of the sample images, and return it."""
    folder.mkdir()
    samples = [photo.read_bytes() for photo in sorted(SAMPLES.glob("*.jpg"))]
    for number in range(count):
        # Bytes after a photo's end make another file of it, which the cache does not know.
        content = samples[number % len(samples)] + str(number).encode()
        (folder / f"{number:06}.jpg").write_bytes(content)
    return folder


Task = Callable[[Model, Path], int]


def _timed(task: Task, model: Model, folder: Path, count: int) -> Callable[[], float]:
    def run() -> float:
        with _empty_cache():
            if task is _known:
                _ours(model, folder)
            started = time.perf_counter()
            assert task(model, folder) == count
            return time.perf_counter() - started

    return run


def _ours(model: Model, folder: Path) -> int:
    return sum(1 for _ in imgcls.features(folder, model))


def _known(model: Model, folder: Path) -> int:
    return _ours(model, folder)


def _classified(model: Model, folder: Path) -> int:
    return sum(1 for _ in imgcls.classify(folder, model))


@contextmanager
def _empty_cache() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as cache, environment(IMGCLS_CACHE=Path(cache)):
        yield


def _usual(model: Model, folder: Path, count: int) -> Task:
    """Do as tutorials do: resize to the network's input, scale, predict in batches of 32."""
    from imgcls.core.keras.build import build_weighted
    from imgcls.core.keras.graph import cut_top
    from imgcls.core.keras.start import import_keras

    keras = import_keras()
    backbone = cut_top(build_weighted(model.network), model.network.spec)
    size = model.preprocessing.size

    def run(model: Model, folder: Path) -> int:
        images = keras.utils.image_dataset_from_directory(
            folder, labels=None, image_size=(size, size), batch_size=_BATCH, verbose=False
        )
        scaled = images.map(lambda batch: (batch - 127.0) / 128.0)
        return len(backbone.predict(scaled, verbose=0))

    return run

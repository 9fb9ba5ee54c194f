"""`finetune` beside `features` of the same photos, and its head beside the same layer in Keras."""

from __future__ import annotations

import functools
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from measure import (
    SAMPLES,
    Row,
    Run,
    compared,
    environment,
    imgcls,
    in_turn,
    paired,
    process,
    random_weights,
)
from PIL import Image
from scaling import native_bound

from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.tasks.training.batches import FixedFeatures
from imgcls.core.tasks.training.folds import HeadRecipe, fit_head

_COUNTS = (600, 3000)  # photos
_SIDE = 128  # of each, in pixels
_GOAL = 0.91  # at most 1.1 times the time of features
_HEAD_PHOTOS = 10_000
_HEAD_WIDTH = 1280


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows: whole processes, then heads on made-up features.

    Args:
        photos: a folder of class folders instead of the crops of the sample images.
        runs: pairs that count.
    """
    with (
        tempfile.TemporaryDirectory() as name,
        environment(IMGCLS_CACHE=Path(name, "cache"), KERAS_HOME=Path(name, "keras")),
    ):
        scratch = Path(name)
        process(imgcls("predict", SAMPLES / "cat.jpg"))  # compiles, once
        folders = [photos] if photos else [_crops(scratch, count) for count in _COUNTS]
        for folder in folders:
            yield from _beside_features(folder, scratch, runs)
        weights = random_weights("resnet50", scratch)
        process(imgcls("models", "add", "resnet50", "--weights", weights))
        yield from _beside_features(folders[0], scratch, runs, "resnet50")
    for classes in (10, 100):
        yield _head(classes, runs)


def _crops(scratch: Path, count: int) -> Path:
    """Make a folder with a class for each sample image, of small parts of it."""
    random = np.random.default_rng(0)
    folder = scratch / f"crops-{count}"
    samples = sorted(SAMPLES.glob("*.jpg"))
    for sample in samples:
        (folder / sample.stem).mkdir(parents=True)
        with Image.open(sample) as photo:
            room = np.array(photo.size) - _SIDE
            for number in range(count // len(samples)):
                left, top = (int(at) for at in random.integers(0, room))
                crop = photo.crop((left, top, left + _SIDE, top + _SIDE)).convert("RGB")
                crop.save(folder / sample.stem / f"{number:05}.jpg", quality=90)
    return folder


def _beside_features(
    folder: Path, scratch: Path, runs: int, network: str = DEFAULT_MODEL
) -> Iterator[Row]:
    """Yield a row by the clock, and one of the processor's time, of the same processes.

    Args:
        folder: of class folders.
        scratch: for what is written.
        runs: pairs that count.
        network: whose features are taken.
    """
    cache = scratch / "cache"
    photos = sorted(path for path in folder.rglob("*") if path.is_file())
    count = len(photos)
    files = {"ours": ("finetune", "x.safetensors"), "usual": ("features", "x.npz")}
    commands = {
        way: imgcls("-q", command, folder, "-o", scratch / file, "--force", "-m", network)
        for way, (command, file) in files.items()
    }
    name = "" if network == DEFAULT_MODEL else f" with {network}"

    def run(command: Sequence[str]) -> Run:
        # What is known of the photos by their content.
        shutil.rmtree(cache / "content", ignore_errors=True)
        return process(command)

    ways = {name: functools.partial(run, command) for name, command in commands.items()}
    found = in_turn(ways, runs)
    least = count / native_bound(photos=photos, model=network)
    for what, cost in (("by the clock", "seconds"), ("processor time", "cpu_seconds")):
        costs = {way: [getattr(one, cost) for one in done] for way, done in found.items()}
        if cost == "seconds":
            costs["bound"] = [least] * runs
        title = f"finetune of {count} photos{name}, {what} (beside: features of them)"
        yield compared(title, costs, lambda spent: f"{spent:.1f} s", _GOAL)


def _head(classes: int, runs: int) -> Row:
    """Compare a linear head, until it is no longer better, with as many epochs of Keras' `fit`."""
    photos = _features(classes)
    part = _HEAD_PHOTOS * 4 // 5
    training = FixedFeatures(photos["features"][:part], photos["columns"][:part])
    validation = FixedFeatures(photos["features"][part:], photos["columns"][part:])
    epochs = 0

    def ours() -> float:
        nonlocal epochs
        recipe = HeadRecipe(classes)
        started = time.perf_counter()
        _, best = fit_head(recipe, training, validation)
        epochs = min(best + recipe.patience, recipe.epochs)
        return time.perf_counter() - started

    def usual() -> float:
        from imgcls.core.keras.start import import_keras

        keras = import_keras()
        layer = keras.Sequential([keras.Input((_HEAD_WIDTH,)), keras.layers.Dense(classes)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        layer.compile("adam", loss, metrics=["accuracy"])
        started = time.perf_counter()
        layer.fit(
            *(training.features, training.columns),
            validation_data=(validation.features, validation.columns),
            epochs=epochs,
            batch_size=32,
            verbose=0,
        )
        return time.perf_counter() - started

    pair = paired(ours, usual, runs)
    what = f"head on {_HEAD_PHOTOS} × {_HEAD_WIDTH} features, {classes} classes, {epochs} epochs"
    return Row(f"{what} (usual: `fit`)", f"{pair.ours:.1f} s", f"{pair.usual:.1f} s", pair.ratio)


def _features(classes: int) -> Mapping[str, np.ndarray]:
    """Return features as ReLU leaves them, of classes that lie near each other."""
    random = np.random.default_rng(0)
    centres = random.normal(0, 0.1, (classes, _HEAD_WIDTH))
    columns = random.integers(0, classes, _HEAD_PHOTOS)
    features = np.maximum(centres[columns] + random.normal(0, 1, (_HEAD_PHOTOS, _HEAD_WIDTH)), 0)
    return {"features": features.astype(np.float32), "columns": columns}

"""`predict` against the usual Keras recipe: start, memory, throughput, large JPEGs."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import SAMPLES, Row, imgcls, multiplied, paired, process, script
from PIL import Image

from imgcls.core.models import labels

_MAKE_KERAS_FILE = """
import keras, sys
from imgcls.core.keras.build import build_weighted
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights
spec = MODELS[DEFAULT_MODEL]
model = build_weighted(Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec)))
keras.Model(model.inputs, keras.layers.Softmax()(model.output)).save(sys.argv[1])
"""
_CLASS_INDEX = Path(labels.__file__).with_name("imagenet_class_index.json")


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows; `photos` is a folder of 100 to 1000, else the samples are multiplied."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "model.keras"
        subprocess.run(
            [sys.executable, "-c", _MAKE_KERAS_FILE, str(model)], check=True, capture_output=True
        )
        cat = SAMPLES / "cat.jpg"
        process(imgcls("predict", cat))  # compiles, once
        yield from _cold_start(cat, model, runs)
        yield _help(runs)
        many = photos or multiplied(folder / "photos", 1000)
        yield _throughput(many, model, runs, "float32", 15)
        process(imgcls("predict", many, "-k1", "--precision", "int8"))  # calibrates, once
        yield _throughput(many, model, runs, "int8", 25)
        yield _large_jpeg(cat, runs)


def _cold_start(photo: Path, model: Path, runs: int) -> Iterator[Row]:
    ours, usual = imgcls("predict", photo), script("keras_predict.py", model, _CLASS_INDEX, photo)
    pair = paired(lambda: process(ours).seconds, lambda: process(usual).seconds, runs)
    yield Row("one photo, whole process", _s(pair.ours), _s(pair.usual), pair.ratio, 20)
    pair = paired(lambda: process(ours).megabytes, lambda: process(usual).megabytes, 2)
    yield Row("its peak memory", f"{pair.ours:.0f} MB", f"{pair.usual:.0f} MB", pair.ratio, 6)


def _help(runs: int) -> Row:
    keras = [sys.executable, "-c", "import keras"]
    pair = paired(lambda: process(imgcls("--help")).seconds, lambda: process(keras).seconds, runs)
    return Row("`imgcls --help` (usual: `import keras`)", _s(pair.ours), _s(pair.usual), pair.ratio)


def _throughput(folder: Path, model: Path, runs: int, precision: str, goal: float) -> Row:
    photos = sorted(folder.iterdir())
    few = photos[:100]

    def ours() -> float:
        command = imgcls("-q", "predict", folder, "-f", "jsonl", "--precision", precision)
        return process(command).seconds / len(photos)

    def usual() -> float:
        output = process(script("keras_predict.py", model, _CLASS_INDEX, *few)).output
        return float(output.split()[-1]) / len(few)

    pair = paired(ours, usual, runs)
    what = f"{len(photos)} photos, file to label, {precision} (usual: the loop alone)"
    return Row(what, f"{1 / pair.ours:.0f}/s", f"{1 / pair.usual:.0f}/s", pair.ratio, goal)


def _large_jpeg(photo: Path, runs: int) -> Row:
    """Compare decoding of a 12-megapixel JPEG, as `predict` does it, with decoding it in full."""
    from imgcls.core.models.table import DEFAULT_MODEL, MODELS
    from imgcls.core.pixels.images import open_image

    buffer = io.BytesIO()
    Image.open(photo).resize((4000, 3000), Image.Resampling.LANCZOS).save(buffer, "JPEG")
    content, preprocessing = buffer.getvalue(), MODELS[DEFAULT_MODEL].preprocessing

    def ours() -> float:
        started = time.perf_counter()
        preprocessing.fit(open_image(content, preprocessing.least_size).image)
        return time.perf_counter() - started

    def usual() -> float:
        started = time.perf_counter()
        preprocessing.fit(open_image(content).image)
        return time.perf_counter() - started

    pair = paired(ours, usual, 5 * runs)
    what = "12-megapixel JPEG, decoded and resized (usual: in full)"
    return Row(what, _ms(pair.ours), _ms(pair.usual), pair.ratio, 3)


def _s(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"

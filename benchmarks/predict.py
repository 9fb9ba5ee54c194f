"""`predict` against the usual Keras recipe, other ways, and what the machine can do at all."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from measure import (
    SAMPLES,
    Row,
    compared,
    imgcls,
    in_turn,
    multiplied,
    paired,
    peak_memory,
    process,
    script,
    seconds,
)
from PIL import Image
from scaling import native_bound
from start import FLOOR, compiled_file

from imgcls.core.engines.engine import Precision
from imgcls.core.models import labels
from imgcls.core.models.table import DEFAULT_MODEL

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


class Files(NamedTuple):
    """The default network as the other ways read it."""

    keras: Path
    onnx: Path

    @classmethod
    def made_in(cls, folder: Path) -> Files:
        files = cls(folder / "model.keras", folder / "model.onnx")
        make_keras = [sys.executable, "-c", _MAKE_KERAS_FILE, str(files.keras)]
        subprocess.run(make_keras, check=True, capture_output=True)
        export = imgcls("export", DEFAULT_MODEL, "-o", files.onnx, "--batch", "fixed")
        subprocess.run(export, check=True, capture_output=True)
        return files

    def other_ways(self, photos: Sequence[Path]) -> dict[str, list[str]]:
        """Return the command lines of the other ways that are installed."""
        networks = {
            "onnxruntime": self.onnx,
            "openvino": self.onnx,
            "tfdata": self.keras,
            "timm": "tf_efficientnet_lite0",
        }
        return {
            way: script("other_ways.py", way, network, *photos)
            for way, network in networks.items()
            if way == "tfdata" or importlib.util.find_spec(way) is not None
        }


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows; `photos` is a folder of 100 to 1000, else the samples are multiplied."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = Files.made_in(folder)
        cat = SAMPLES / "cat.jpg"
        process(imgcls("predict", cat))  # compiles, once
        yield from _cold_start(cat, files, runs)
        yield _help(runs)
        many = photos or multiplied(folder / "photos", 1000)
        yield _throughput(many, files, runs, "float32", 15)
        process(imgcls("predict", many, "-k1", "--precision", "int8"))  # calibrates, once
        yield _throughput(many, files, runs, "int8", 25)
        yield _large_jpeg(cat, runs)


def _cold_start(photo: Path, files: Files, runs: int) -> Iterator[Row]:
    """Compare one photo; the bound is what Python and the libraries themselves take."""
    ours = imgcls("predict", photo)
    usual = script("keras_predict.py", files.keras, _CLASS_INDEX, photo)
    floor = [sys.executable, "-c", FLOOR, str(compiled_file())]
    others = files.other_ways([photo])
    commands = {"ours": ours, "usual": usual, "bound": floor, **others}
    costs = in_turn({name: seconds(command) for name, command in commands.items()}, runs)
    yield compared("one photo, whole process", costs, _s, 20, others)
    weighed = {"ours": ours, "usual": usual, "bound": floor}
    costs = in_turn({name: _memory(command) for name, command in weighed.items()}, 2)
    yield compared("its peak memory", costs, lambda cost: f"{cost:.0f} MB", 6)


def _memory(command: Sequence[str]) -> Callable[[], float]:
    return lambda: peak_memory(command)


def _help(runs: int) -> Row:
    python = [sys.executable, "-c"]
    ways = {
        "ours": imgcls("--help"),
        "usual": [*python, "import keras"],
        "bound": [*python, "pass"],
    }
    costs = in_turn({name: seconds(command) for name, command in ways.items()}, runs)
    return compared("`imgcls --help` (usual: `import keras`)", costs, _s)


def _throughput(folder: Path, files: Files, runs: int, precision: Precision, goal: float) -> Row:
    """Compare a folder, in seconds a photo; the bound is measured in each round."""
    photos = sorted(folder.iterdir())
    few = photos[:100]

    def seconds_a_photo(command: Sequence[str]) -> Callable[[], float]:
        return lambda: process(command).seconds / len(photos)

    def usual() -> float:
        command = script("keras_predict.py", files.keras, _CLASS_INDEX, *few)
        return float(process(command).output.split()[-1]) / len(few)

    others = {name: seconds_a_photo(command) for name, command in files.other_ways(photos).items()}
    ways = {
        "ours": seconds_a_photo(
            imgcls("-q", "predict", folder, "-f", "jsonl", "--precision", precision)
        ),
        "usual": usual,
        "bound": lambda: 1 / native_bound(precision=precision, photos=photos),
        **others,
    }
    what = f"{len(photos)} photos, file to label, {precision} (usual: the loop alone)"
    return compared(what, in_turn(ways, runs), lambda cost: f"{1 / cost:.0f}/s", goal, others)


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

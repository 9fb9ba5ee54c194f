"""Time the engines that are here on a compiled model: the work of a child process."""

from __future__ import annotations

import functools
import importlib
import io
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imgcls.core.arrays import Float32Array
from imgcls.core.child import read_request
from imgcls.core.engines.compiled.folder import FACTS_FILE, CompiledModel, read_facts
from imgcls.core.engines.engine import Engine
from imgcls.core.engines.rates import best_rates
from imgcls.core.engines.speeds import Speed, Speeds, keep_speeds
from imgcls.core.pixels.images import fit_image
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.telemetry import import_openvino

log = logging.getLogger("imgcls")

_DECODED = 20  # images, of which the fastest counts
# Engine → what imports its runtime.
IMPORTS: Mapping[str, Callable[[], Any]] = {
    "litert": functools.partial(importlib.import_module, "ai_edge_litert.interpreter"),
    "openvino": import_openvino,
}


def main() -> None:
    """Time the model in the folder that standard input names, and keep the figures there."""
    folder, engines, cores = json.loads(read_request())
    compiled = CompiledModel(Path(folder), read_facts(Path(folder) / FACTS_FILE))
    keep_speeds(compiled, timed(compiled, engines, cores))


def timed(compiled: CompiledModel, engines: Sequence[str], cores: int) -> Speeds:
    """Time engines on a compiled model, on one core and on all; one that fails is left out.

    Each image is decoded, as in a run: what the engines find in the processor's caches then, and
    how their threads and those that decode get along, can turn a small difference around.
    """
    preprocessing = Preprocessing(**compiled.facts["spec"]["preprocessing"])
    content = _photo()

    def image() -> Float32Array:
        return preprocessing.scale(fit_image(content, preprocessing).pixels[np.newaxis])

    imports = {name: _import_seconds(name) for name in engines}
    one = _timed_on(compiled, imports, 1, image)
    every = one if cores == 1 else _timed_on(compiled, imports, cores, image)
    return Speeds(one, every, cores, _least_seconds(image))


def _least_seconds(image: Callable[[], Float32Array]) -> float:
    """Return the least time that making an image took, of several times."""

    def once(_: int) -> float:
        started = time.perf_counter()
        image()
        return time.perf_counter() - started

    return round(min(map(once, range(_DECODED))), 6)


def _photo() -> bytes:
    """Return a JPEG that takes about as long to decode as a photo of its size."""
    coarse = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC).save(encoded, "JPEG")
    return encoded.getvalue()


def _import_seconds(name: str) -> float:
    started = time.perf_counter()
    IMPORTS[name]()
    return time.perf_counter() - started


def _timed_on(
    compiled: CompiledModel,
    imports: dict[str, float],
    threads: int,
    image: Callable[[], Float32Array],
) -> dict[str, Speed]:
    opened: dict[str, Engine] = {}
    seconds = {}
    first = image()
    for name, import_seconds in imports.items():
        started = time.perf_counter()
        try:
            opened[name] = _open(name, compiled, threads)
            opened[name].run(first, ("logits",))
        except (RuntimeError, ValueError) as error:  # it cannot run this network
            log.debug("%s: %s", name, error)
            opened.pop(name, None)
        seconds[name] = import_seconds + time.perf_counter() - started
    rates = best_rates(opened, threads, image)
    return {name: Speed(round(seconds[name], 3), round(rates[name], 2)) for name in opened}


def _open(name: str, compiled: CompiledModel, threads: int) -> Engine:
    if name == "openvino":
        from imgcls.core.engines.openvino import OpenVINOEngine

        return OpenVINOEngine(compiled, threads)
    from imgcls.core.engines.litert import LiteRTEngine

    return LiteRTEngine(compiled, threads)

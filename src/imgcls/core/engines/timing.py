"""Time the engines that are here on a compiled model: the work of a child process."""

from __future__ import annotations

import functools
import importlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.child import read_request
from imgcls.core.engines.compiled.folder import FACTS_FILE, CompiledModel, read_facts
from imgcls.core.engines.engine import Engine
from imgcls.core.engines.rates import best_rates
from imgcls.core.engines.speeds import Speed, Speeds, keep_speeds
from imgcls.core.telemetry import import_openvino

log = logging.getLogger("imgcls")

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
    """Time engines on a compiled model, on one core and on all; one that fails is left out."""
    size = compiled.facts["spec"]["preprocessing"]["size"]
    image = np.random.default_rng(0).normal(size=(1, size, size, 3)).astype(np.float32)
    imports = {name: _import_seconds(name) for name in engines}
    one = _timed_on(compiled, imports, 1, image)
    return Speeds(one, one if cores == 1 else _timed_on(compiled, imports, cores, image), cores)


def _import_seconds(name: str) -> float:
    started = time.perf_counter()
    IMPORTS[name]()
    return time.perf_counter() - started


def _timed_on(
    compiled: CompiledModel, imports: dict[str, float], threads: int, image: Float32Array
) -> dict[str, Speed]:
    opened: dict[str, Engine] = {}
    seconds = {}
    for name, import_seconds in imports.items():
        started = time.perf_counter()
        try:
            opened[name] = _open(name, compiled, threads)
            opened[name].run(image, ("logits",))
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

"""Inference alone, images per second on all cores: LiteRT, OpenVINO and ONNX Runtime.

    python benchmarks/engines.py [--whole] [NAME...]

`--whole` times `imgcls predict` of one photo and of 300 instead, whole processes in turn.

All run the same network: the compiled one, which OpenVINO reads as it is, and `imgcls export`
writes for ONNX Runtime. What is not installed is left out. All but the default have random
weights, which take the same time. What `--engine auto` takes for many images is marked.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from measure import BUILDERS, caption, imgcls, in_turn, multiplied, random_weights, seconds

from imgcls import compile_model, load_model
from imgcls.core.engines.engine import MANY_IMAGES
from imgcls.core.engines.speeds import PACKAGES, installed_engines
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.telemetry import import_onnxruntime

CORES = os.cpu_count() or 1
NAMES = (DEFAULT_MODEL, *BUILDERS)
_COUNTS = (1, 300)  # photos of whole processes
_RUNS = 2
_SECONDS = 2.0
_ROUNDS = 5
Run = Callable[[np.ndarray], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--whole", action="store_true", help="time whole processes")
    options = parser.parse_args()
    print(f"{caption()}\n")
    if options.whole:
        print("| network | photos | auto | litert | openvino | auto, of the best |")
        print("|---|---|---|---|---|---|")
    else:
        print("| network | engine | images/s | of the best | auto |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for ref in options.names or NAMES:
            weights = None if ref == DEFAULT_MODEL else random_weights(ref, Path(name))
            compare = _compare_whole if options.whole else _compare
            compare(ref, weights, Path(name))


def _compare_whole(ref: str, weights: Path | None, folder: Path) -> None:
    """Time processes that classify one photo, and a folder, with each engine in turn."""
    compile_model(ref, weights=weights)
    own = ["--weights", weights] if weights else []
    for count in _COUNTS:
        photos = folder / f"photos-{count}"
        if not photos.exists():
            multiplied(photos, count)

        command = imgcls("-q", "predict", photos, "-m", ref, *own, "--engine")
        ways = {engine: seconds([*command, engine]) for engine in ("auto", *installed_engines())}
        costs = {engine: statistics.median(c) for engine, c in in_turn(ways, _RUNS).items()}
        cells = " | ".join(f"{costs[e]:.2f} s" if e in costs else "" for e in ("auto", *PACKAGES))
        of_best = min(costs.values()) / costs["auto"]
        print(f"| {ref} | {count} | {cells} | {of_best:.0%} |", flush=True)


def _compare(ref: str, weights: Path | None, folder: Path) -> None:
    """Measure the engines in turn, several rounds, and print the medians."""
    speeds_here = compile_model(ref, weights=weights).speeds
    auto = "litert" if speeds_here is None else speeds_here.best(MANY_IMAGES, CORES)
    size = load_model(ref, weights=weights).preprocessing.size
    image = np.random.default_rng(0).normal(size=(1, size, size, 3)).astype(np.float32)
    speeds: dict[str, list[float]] = {}
    for _ in range(_ROUNDS):
        for engine, opened in _engines(ref, weights, folder).items():
            speeds.setdefault(engine, []).append(_images_per_second(*opened, image))
    medians = {engine: statistics.median(values) for engine, values in speeds.items()}
    best = max(medians.values())
    for engine, speed in medians.items():
        taken = "takes it" if engine == auto else ""
        print(f"| {ref} | {engine} | {speed:.1f} | {speed / best:.0%} | {taken} |", flush=True)


def _engines(ref: str, weights: Path | None, folder: Path) -> dict[str, tuple[Run, int]]:
    """Return what runs the network, and from how many threads; one by one, to spare memory."""
    found: dict[str, tuple[Run, int]] = {}
    for engine in installed_engines():
        model = load_model(ref, weights=weights, engine=engine, threads=CORES)  # type: ignore[arg-type]
        found[engine] = (model.logits, model.engine.parallel)
    if importlib.util.find_spec("onnxruntime"):
        found["onnxruntime"] = _onnxruntime(ref, weights, folder)
    return found


def _onnxruntime(ref: str, weights: Path | None, folder: Path) -> tuple[Run, int]:
    onnxruntime = import_onnxruntime()
    file = folder / f"{ref}.onnx"
    if not file.exists():
        own = ["--weights", weights] if weights else []
        command = imgcls("export", ref, *own, "-o", file, "--batch", "fixed")
        subprocess.run(command, check=True, capture_output=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch}), CORES


def _images_per_second(run: Run, threads: int, image: np.ndarray) -> float:
    run(image)  # warm
    deadline = time.perf_counter() + _SECONDS

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() < deadline:
            run(image)
            done += 1
        return done

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(work, range(threads)))
    return done / (time.perf_counter() - started)


if __name__ == "__main__":
    main()

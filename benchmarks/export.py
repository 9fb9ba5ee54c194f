"""Export models with random weights: time, memory, size and the difference of their scores.

    python benchmarks/export.py ENDING [NAME...]

prints a line a model as it is done; without names, every row of the table. Weights are random
since time and memory do not depend on them; the largest networks take minutes each.

    python benchmarks/export.py --float64 NAME...

says how far the scores of Keras and of ONNX Runtime are from those of Keras in float64, with
random weights as they are drawn.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from imgcls.core.arrays import softmax
from imgcls.core.keras.build import build_network
from imgcls.core.keras.start import import_keras
from imgcls.core.models.table import MODELS
from imgcls.core.tasks.export import export_child
from imgcls.core.tasks.export.check_photos import check_pixels
from imgcls.core.tasks.export.options import ExportOptions
from imgcls.core.tasks.export.runtimes import run_exported

_GROWN = 30.0  # a logit
_DAMPING = 0.2


def save_weights(name: str, path: str, *, damped: bool = True) -> None:
    """Save random weights with which the scores of classes differ, as trained ones do.

    In deep residual networks random weights make numbers grow from block to block, and with them
    what rounding does: float32 Keras itself is then further from float64 than `export` accepts.
    Where they grow, the branches are damped.
    """
    import_keras().utils.set_random_seed(0)
    preprocessing, network = MODELS[name].preprocessing, build_network(MODELS[name])
    views = preprocessing.scale(check_pixels(preprocessing))  # those that export compares
    logits = network.predict(views, batch_size=1, verbose=0)  # one by one takes less memory
    if damped and np.abs(logits).max() > _GROWN:
        _damp_branches(network)
        logits = network.predict(views, batch_size=1, verbose=0)
    last = next(layer for layer in reversed(network.layers) if hasattr(layer, "kernel"))
    # Between images alone: what all have in common says little of the network.
    common = logits.mean(axis=0)
    factor = 3 / max(float((logits - common).std()), 1e-30)
    kernel, *bias = last.get_weights()
    last.set_weights([kernel * factor, *((array - common) * factor for array in bias)])
    network.save_weights(path)


def _damp_branches(network: Any) -> None:
    """Multiply what each branch adds, whose last normalization is found behind the addition."""
    layers = import_keras().layers
    for add in network.layers:
        if isinstance(add, layers.Add):
            for tensor in add.input:
                layer = tensor._keras_history.operation
                while isinstance(layer, (layers.Dropout, layers.Activation)):
                    layer = layer.input._keras_history.operation
                if isinstance(layer, layers.BatchNormalization):
                    layer.gamma.assign(layer.gamma * _DAMPING)
                    break


def compare_with_float64(name: str, folder: str) -> str:
    """Return how far two runtimes are from float64."""
    weights = os.path.join(folder, "m.weights.h5")
    save_weights(name, weights, damped=False)
    export_child.BOUNDS = {"float32": math.inf}
    request = {
        "model": name,
        "weights": weights,
        "output": "m.onnx",
        "ending": ".onnx",
        "options": asdict(ExportOptions()),
    }
    export_child.export_into(request, Path(folder))
    views = MODELS[name].preprocessing.scale(check_pixels(MODELS[name].preprocessing))
    (file,) = Path(folder, "made").iterdir()
    ours = run_exported(".onnx", file, views, together=False)
    network = build_network(MODELS[name])
    network.load_weights(weights)
    exact = import_keras().models.clone_model(network, clone_function=_in_float64)
    exact.set_weights(network.get_weights())
    expected = softmax(exact.predict(views, batch_size=1, verbose=0))
    keras = softmax(network.predict(views, batch_size=1, verbose=0))
    distances = [float(np.abs(scores - expected).max()) for scores in (keras, ours)]
    return f"{name}: Keras {distances[0]:.1e}, ONNX Runtime {distances[1]:.1e}"


def _in_float64(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config() | {"dtype": "float64"})


def measure(name: str, ending: str, folder: str) -> str:
    """Return the row of a Markdown table."""
    weights, out = os.path.join(folder, "m.weights.h5"), os.path.join(folder, f"m{ending}")
    save = f"from benchmarks.export import save_weights; save_weights({name!r}, {weights!r})"
    subprocess.run([sys.executable, "-c", save], check=True, capture_output=True)
    command = [sys.executable, "-m", "imgcls", "export", name, "--weights", weights, "-o", out]
    with open(os.path.join(folder, "said"), "w+") as said:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)  # with those that it waited for
        seconds = time.perf_counter() - started
        said.seek(0)
        text = said.read()
    if status:
        return f"| {name} | {text.splitlines()[-1][:200]} |"
    megabytes, difference = re.findall(r", ([\d.]+ \w+), scores within (\S+) on", text)[0]
    busy, gigabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20
    took = f"{seconds:.0f} s ({busy:.0f} s of a core)"
    return f"| {name} | {took} | {gigabytes:.1f} GB | {megabytes} | {difference} |"


def main() -> None:
    ending, *names = sys.argv[1:]
    if ending == "--float64":
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                print(compare_with_float64(name, folder), flush=True)
        return
    print("| model | time | peak memory | file | difference |\n|---|---|---|---|---|", flush=True)
    for name in names or MODELS:
        # A process of its own for each, since the peak of those that are waited for only grows.
        with tempfile.TemporaryDirectory() as folder:
            code = (
                "import sys; from benchmarks.export import measure; "
                f"print(measure({name!r}, {ending!r}, {folder!r}))"
            )
            root = Path(__file__).resolve().parent.parent
            subprocess.run([sys.executable, "-c", code], cwd=root, check=False)


if __name__ == "__main__":
    main()

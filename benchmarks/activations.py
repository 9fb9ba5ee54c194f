"""`activations` against `keras_activations.py`, the usual recipe, on the same model."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import SAMPLES, Row, compared, imgcls, in_turn, paired, script, seconds

_FIRST = 8
_CAT = SAMPLES / "cat.jpg"


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows: the first layers of one photo as a whole process, and all, a layer's time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = imgcls("-q", "activations", _CAT, "-o", folder / "a.png", "--first", str(_FIRST))
        usual = script("keras_activations.py", folder, _CAT, str(_FIRST))
        floor = script("keras_activations.py", folder, _CAT, "0")  # starts Keras, builds the model
        ways = {"ours": seconds(ours), "usual": seconds(usual), "bound": seconds(floor)}
        costs = in_turn(ways, runs)
        what = f"activations of {_FIRST} layers for one photo, whole process"
        title = f"{what} (usual: a model and a figure a layer)"
        yield compared(title, costs, lambda cost: f"{cost:.1f} s", 1)
        pair = paired(*_a_layer(folder), runs)
        what = "activations and sheet of all layers, a layer (usual: of the first)"
        times = (f"{cost * 1000:.0f} ms" for cost in (pair.ours, pair.usual))
        yield Row(what, *times, pair.ratio, 5)


def _a_layer(folder: Path) -> tuple[Callable[[], float], Callable[[], float]]:
    """Return what measures the time of a layer, both with their model open."""
    import keras_activations

    from imgcls.core.engines.keras_engine import keras_model
    from imgcls.core.engines.model import load_model
    from imgcls.core.pixels.source import Source
    from imgcls.core.tasks.heatmap.activation_files import SheetOptions, write_activations
    from imgcls.core.tasks.heatmap.activations import ActivationOptions
    from imgcls.core.tasks.heatmap.output_names import ACTIVATIONS_ENDING, name_outputs

    model = load_model(engine="keras")
    network = keras_model(model.engine, model.network)

    def ours() -> float:
        started = time.perf_counter()
        jobs = name_outputs([Source(os.fspath(_CAT))], os.fspath(folder), ACTIVATIONS_ENDING)
        (record,) = write_activations(jobs, model, ActivationOptions(), SheetOptions())
        return (time.perf_counter() - started) / len(record.layers)

    def usual() -> float:
        started = time.perf_counter()
        keras_activations.draw(network, os.fspath(_CAT), _FIRST, folder)
        return (time.perf_counter() - started) / _FIRST

    return ours, usual

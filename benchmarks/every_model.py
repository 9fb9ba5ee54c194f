"""Build and compile every row of the model table with random weights, compare LiteRT with Keras.

    python benchmarks/every_model.py [NAME...]

writes `docs/every_model.json`, which the table in docs/models.md shows. All rows take about half
an hour on two cores; the largest need 16 GB of memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import OUTPUTS
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.table import MODELS

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "every_model.json"

_OVERGROWN = 1000.0  # a logit


def try_model(name: str) -> dict[str, Any]:
    """Compile a row with random weights.

    Returns:
        engine: "litert", or "keras" where the conversion fails, with the `reason`; difference:
        the greatest between LiteRT and Keras in any output, over the greatest number in that
        output.
    """
    from imgcls.core.engines.compiled.compile import memory_lacking
    from imgcls.core.engines.compiled.convert import convert, traced
    from imgcls.core.keras.graph import with_outputs

    spec = MODELS[name]
    if lacking := memory_lacking(spec):
        return {"engine": "keras", "reason": lacking}
    outputs = with_outputs(random_network(spec), spec)
    try:
        content = convert(traced(outputs, spec.preprocessing.size))
        difference = _difference(outputs, content, noise(spec, seed=2))
    except (RuntimeError, ValueError, NotImplementedError) as error:
        return {"engine": "keras", "reason": " ".join(str(error).split())[:200]}
    return {"engine": "litert", "difference": float(f"{difference:.1e}")}


def random_network(spec: ModelSpec) -> Any:
    """Build a row's network with random weights.

    Where they make the numbers grow from layer to layer without end, as in EfficientNetV2-M and
    -L, the normalizations take over the statistics of a batch; rounding would decide all there.
    """
    import keras

    from imgcls.core.keras.build import build_network

    keras.utils.set_random_seed(0)
    network = build_network(spec)
    batch = noise(spec, seed=1)
    if np.abs(network(batch, training=False)).max() > _OVERGROWN:
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0  # the next batch's statistics replace the fresh ones
        network(batch, training=True)
    return network


def noise(spec: ModelSpec, seed: int, images: int = 2) -> np.ndarray:
    size = spec.preprocessing.size
    pixels = np.random.default_rng(seed).integers(0, 256, (images, size, size, 3), np.uint8)
    return spec.preprocessing.scale(pixels)


def _difference(outputs: Any, content: bytes, batch: np.ndarray) -> float:
    from imgcls.core.engines.compiled.folder import MODEL_FILE, CompiledModel
    from imgcls.core.engines.litert import LiteRTEngine

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / MODEL_FILE).write_bytes(content)
        results = LiteRTEngine(CompiledModel(Path(folder), {}), threads=1).run(batch, OUTPUTS)
    references = [np.asarray(x) for x in outputs(batch, training=False)]
    for ours, theirs in zip(results, references, strict=True):
        assert ours.shape == theirs.shape and np.ptp(theirs) > 0
    return max(
        float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        for ours, theirs in zip(results, references, strict=True)
    )


def main() -> None:
    """Try each row in a process of its own, so that memory is given back."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(try_model(sys.argv[2])))
        return
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in sys.argv[1:] or MODELS:
        command = [sys.executable, __file__, "--one", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        lines = done.stdout.decode().splitlines()
        results[name] = (
            json.loads(lines[-1])
            if done.returncode == 0
            else {"engine": "keras", "reason": f"the converter died ({done.returncode})"}
        )
        print(name, results[name], flush=True)
        ordered = {name: results[name] for name in MODELS if name in results}
        rows = (f' "{name}": {json.dumps(result)}' for name, result in ordered.items())
        RESULTS.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()

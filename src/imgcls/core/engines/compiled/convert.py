"""Make a compiled model: Keras → LiteRT, compared by numbers; the work of a child process."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import OUTPUTS, Float32Array, Output, softmax
from imgcls.core.child import read_request
from imgcls.core.engines.compiled.folder import (
    CALIBRATION_FILE,
    EXIT_UNWRITABLE,
    FACTS_FILE,
    KERNEL_FILE,
    MODEL_FILE,
    CompiledModel,
    facts_text,
    made_of,
)
from imgcls.core.engines.engine import Precision
from imgcls.core.engines.litert import LiteRTEngine
from imgcls.core.engines.rates import best_rates
from imgcls.core.errors import ModelError, UsageError
from imgcls.core.files import sha256
from imgcls.core.keras.start import import_keras
from imgcls.core.models.model_file import read_model_file
from imgcls.core.models.table import MODELS
from imgcls.core.models.variant import Variant
from imgcls.core.models.weights import Network
from imgcls.core.processor import processor

# The greatest difference of a softmax score between LiteRT and Keras that is accepted.
_MAX_DIFFERENCE = 1e-4
# int8 must name the same class as float32 for this share of the calibration photos. Good
# networks reach 0.9 and more; one that rounding breaks falls below 0.1.
_LEAST_AGREEMENT = 0.5
_CHECKED_IMAGES = 3
_TIMED_SECONDS = 0.02  # a round; here an estimate for people is enough


def main() -> None:
    """Compile what standard input asks for; the outcome is `facts.json` in its folder."""
    name, weights, stored, variant, precision, folder = json.loads(read_request())
    import_keras(alone=True)
    path = Path(weights)
    try:
        if stored:
            network = read_model_file(path).network(path)
        else:
            network = Network(name, MODELS[name], path)
        outcome = build_compiled(network.varied(Variant(**variant)), precision, Path(folder))
    except ModelError as error:
        outcome = {"weights_error": str(error)}
    except UsageError as error:
        outcome = {"usage_error": str(error)}
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}\n")
        sys.exit(EXIT_UNWRITABLE)
    (Path(folder) / FACTS_FILE).write_bytes(facts_text(outcome))


def build_compiled(network: Network, precision: Precision, folder: Path) -> dict[str, Any]:
    """Convert a network to LiteRT and compare the two.

    Args:
        network: what to compile.
        precision: "int8" reads its calibration photos from `CALIBRATION_FILE` in `folder`.
        folder: where the model file is written.

    Returns:
        What `facts.json` holds: what made the model, or why LiteRT cannot run it.

    Raises:
        WeightsError: the weights do not fit the network.
    """
    from imgcls.core.keras.build import build_weighted
    from imgcls.core.keras.graph import classifier_kernel, with_outputs

    model = build_weighted(network)
    outputs = with_outputs(model, network.spec)
    packages = ("imgcls", "tensorflow", "keras", "ai-edge-litert", "numpy")
    facts = made_of(network, precision) | {
        "versions": {package: importlib.metadata.version(package) for package in packages},
        "processor": processor(),
    }
    if network.spec.linear_head:
        np.save(folder / KERNEL_FILE, classifier_kernel(model))
        facts["kernel_sha256"] = sha256(folder / KERNEL_FILE)
    try:
        if precision == "float32":
            return facts | _float32(outputs, network, folder)
        return facts | _int8(outputs, network, folder)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        # The converter refuses with these what it cannot express; LiteRT what it cannot prepare.
        return facts | {"unsupported": " ".join(str(error).split())[:300]}


def _float32(outputs: Any, network: Network, folder: Path) -> dict[str, Any]:
    size = network.spec.preprocessing.size
    function = traced(outputs, size)
    facts = _write(convert(function), folder)
    pixels = np.random.default_rng(0).integers(0, 256, (_CHECKED_IMAGES, size, size, 3), np.uint8)
    batch = network.spec.preprocessing.scale(pixels)
    engine = LiteRTEngine(CompiledModel(folder, facts), threads=1)
    name = _compared(outputs)
    (found,), expected = engine.run(batch, (name,)), _reference(function, batch, name)
    if name == "logits":
        difference = float(np.abs(softmax(found) - softmax(expected)).max())
    else:
        difference = float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
    facts |= {"max_difference": difference}
    facts |= _milliseconds({"milliseconds": engine}, batch[:1])
    if not difference <= _MAX_DIFFERENCE:
        what = "scores" if name == "logits" else "features"
        return facts | {"unsupported": f"{what} differ by {difference:.1e}"}
    return facts


def _int8(outputs: Any, network: Network, folder: Path) -> dict[str, Any]:
    pixels = np.load(folder / CALIBRATION_FILE)
    batch = network.spec.preprocessing.scale(pixels)
    function = traced(outputs, network.spec.preprocessing.size)
    facts = _write(convert(function, batch), folder)
    engine = LiteRTEngine(CompiledModel(folder, facts), threads=1)
    name = _compared(outputs)
    (found,) = engine.run(batch, (name,))
    same = found.argmax(axis=1) == _reference(function, batch, name).argmax(axis=1)
    facts |= {
        "calibration": {
            "images": len(pixels),
            "pixels_sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        },
        "compared": name,
        "agreement": float(same.mean()),
    }
    with tempfile.TemporaryDirectory(dir=folder) as other:
        plain = CompiledModel(Path(other), _write(convert(function), Path(other)))
        engines = {"milliseconds": engine, "float32_milliseconds": LiteRTEngine(plain, threads=1)}
        facts |= _milliseconds(engines, batch[:1])
    if same.mean() < _LEAST_AGREEMENT:
        agreeing = f"{np.count_nonzero(same)} of {len(same)} calibration photos"
        return facts | {"unsupported": f"it names the class that float32 names for only {agreeing}"}
    return facts


def traced(outputs: Any, size: int, *, any_batch: bool = False) -> Any:
    """Return a Keras model as a TensorFlow function, which is what can be converted.

    Args:
        outputs: a Keras model, (n, size, size, 3) → its outputs.
        size: height and width of its input.
        any_batch: take any number of images at once, not only one.

    Returns:
        A concrete function. It drops what a layer gave when the next have read it; Keras by
        itself keeps the outputs of all layers to the end.
    """
    import tensorflow as tf

    # A fixed batch of one: what is run, and some networks prepare with no other.
    shape = [None if any_batch else 1, size, size, 3]
    signature = [tf.TensorSpec(shape, outputs.inputs[0].dtype, name="image")]
    function = tf.function(lambda image: outputs(image, training=False), signature)
    return function.get_concrete_function()


def convert(
    function: Any, calibration: np.ndarray | None = None, *, float16: bool = False
) -> bytes:
    """Convert a network to LiteRT.

    Args:
        function: of `traced`.
        calibration: photos as its input (n, size, size, 3); with them, weights and activations
            become int8 (post-training quantization; input and outputs stay what they are, and
            so does an operation that has no int8 form).
        float16: keep the weights as float16.

    Returns:
        The .tflite file.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[np.newaxis]] for image in calibration)
    if float16:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    return content


def _write(content: bytes, folder: Path) -> dict[str, Any]:
    (folder / MODEL_FILE).write_bytes(content)
    return {"sha256": hashlib.sha256(content).hexdigest()}


def _compared(outputs: Any) -> Output:
    """Return what LiteRT and Keras are compared by: the logits, where the network has any."""
    return "logits" if len(outputs.outputs[0].shape) == 2 else "features"


def _reference(function: Any, batch: Float32Array, name: Output) -> Float32Array:
    """Return Keras' logits (n, classes) or features (n, d), from a function of one image."""
    import tensorflow as tf

    place = OUTPUTS.index(name)
    images = (tf.constant(image[np.newaxis]) for image in batch)
    return np.concatenate([np.asarray(function(image)[place]) for image in images])


def _milliseconds(engines: dict[str, LiteRTEngine], image: Float32Array) -> dict[str, float]:
    """Return how long an image takes each engine on one core."""
    rates = best_rates(engines, 1, lambda: image, seconds=_TIMED_SECONDS)
    return {name: round(1000 / rate, 2) for name, rate in rates.items()}

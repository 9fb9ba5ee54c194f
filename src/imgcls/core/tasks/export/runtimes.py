"""Run an exported file in its own runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.keras.exported import run_keras, run_saved_model
from imgcls.core.tasks.export.options import SAVED_MODEL
from imgcls.core.telemetry import import_onnxruntime, import_openvino

# The number of images in a call where any number is taken: also not one.
_TOGETHER = 3


def run_exported(ending: str, path: Path, batch: np.ndarray, *, together: bool) -> Float32Array:
    """Return what an exported file says of a batch.

    Args:
        ending: its row of `FORMATS`.
        path: the file, or the folder.
        batch: (n, h, w, 3), as its description asks for.
        together: whether several images go into a call.

    Returns:
        float32 (n, classes).
    """
    run = _RUNTIMES[ending](path)
    step = _TOGETHER if together else 1
    return np.concatenate([run(batch[i : i + step]) for i in range(0, len(batch), step)])


def _litert(path: Path) -> Callable[[np.ndarray], Float32Array]:
    from ai_edge_litert.interpreter import Interpreter

    from imgcls.core.quiet import native_lines_removed

    with native_lines_removed(b"INFO: Created TensorFlow Lite XNNPACK delegate"):
        interpreter = Interpreter(str(path), num_threads=1)
        interpreter.allocate_tensors()
    (given,), (scores,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(batch: np.ndarray) -> Float32Array:
        if given["shape_signature"][0] == -1:
            interpreter.resize_tensor_input(given["index"], batch.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        result: Float32Array = interpreter.get_tensor(scores["index"])
        return result

    return run


def _onnx_runtime(path: Path) -> Callable[[np.ndarray], Float32Array]:
    session = import_onnxruntime().InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(batch: np.ndarray) -> Float32Array:
        (scores,) = session.run(["scores"], {"image": batch})
        return np.asarray(scores, np.float32)

    return run


def _openvino(path: Path) -> Callable[[np.ndarray], Float32Array]:
    # Some processors would otherwise compute in bfloat16, which changes the scores.
    how = {"INFERENCE_PRECISION_HINT": "f32"}
    model = import_openvino().Core().compile_model(path, "CPU", how)
    return lambda batch: np.array(model({"image": batch})["scores"], np.float32)


_RUNTIMES: Mapping[str, Callable[[Path], Callable[[np.ndarray], Float32Array]]] = {
    ".tflite": _litert,
    ".keras": run_keras,
    ".h5": run_keras,
    SAVED_MODEL: run_saved_model,
    ".onnx": _onnx_runtime,
    ".xml": _openvino,
}

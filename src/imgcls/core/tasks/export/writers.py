"""Write a Keras model in each of the forms that it is exported in."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgcls.core.keras.exported import save_keras, save_saved_model
from imgcls.core.models.exported_description import scaled_as_described
from imgcls.core.pixels.preprocessing import Uint8Image
from imgcls.core.tasks.export.onnx_model import read_properties, write_onnx
from imgcls.core.tasks.export.options import FORMATS, SAVED_MODEL, ExportOptions, beside
from imgcls.core.tasks.export.tflite_metadata import read_files, with_metadata
from imgcls.core.telemetry import import_openvino


@dataclass
class Work:
    """What is to be exported, and where.

    Attributes:
        model: Keras' model in the form that is written; a writer may let go of it.
        described: what goes along with it.
        options: how it is exported.
        any_batch: whether it takes any number of images.
        calibration: photos for int8, uint8 (n, size, size, 3).
    """

    model: Any
    described: dict[str, Any]
    options: ExportOptions
    any_batch: bool
    calibration: Uint8Image | None


def _write_tflite(work: Work, path: Path) -> None:
    from imgcls.core.engines.compiled.convert import convert, traced

    calibration = work.calibration
    if calibration is not None:
        calibration = scaled_as_described(calibration, work.described)
    function = traced(work.model, work.described["size"], any_batch=work.any_batch)
    content = convert(function, calibration, float16=work.options.precision == "float16")
    path.write_bytes(with_metadata(content, work.described))


def _write_onnx(work: Work, path: Path) -> None:
    """Write the network down in our own words, as `models import` does, and those as ONNX.

    Going by LiteRT's graph, or Keras' own way, takes many times the memory.
    """
    from imgcls.core.models.keras_file.describe import describe

    folder = path.parent.parent
    whole = folder / "whole.keras"
    save_keras(work.model, whole)
    work.model = None
    gc.collect()
    imported = describe(whole, folder)
    write_onnx(
        path,
        imported.network,
        imported.tensors,
        imported.head,
        described=work.described,
        opset=work.options.opset or FORMATS[path.suffix].opset or 0,
        any_batch=work.any_batch,
    )


def _write_openvino(work: Work, path: Path) -> None:
    """Write what OpenVINO reads of a SavedModel; its own converter would ask about telemetry."""
    openvino = import_openvino()
    whole = path.parent.parent / "whole"
    save_saved_model(work.model, whole)
    work.model = None
    gc.collect()
    model = openvino.Core().read_model(whole)
    if not work.any_batch:
        model.reshape({"image": [1, *model.inputs[0].get_partial_shape()[1:]]})
    openvino.save_model(model, path, compress_to_fp16=False)


def _write_keras(work: Work, path: Path) -> None:
    save_keras(work.model, path)


def _write_saved_model(work: Work, path: Path) -> None:
    save_saved_model(work.model, path)


WRITERS: Mapping[str, Callable[[Work, Path], None]] = {
    ".tflite": _write_tflite,
    ".keras": _write_keras,
    ".h5": _write_keras,
    ".onnx": _write_onnx,
    ".xml": _write_openvino,
    SAVED_MODEL: _write_saved_model,
}


def write_description(work: Work, path: Path, ending: str) -> None:
    """Write the description of a model that cannot hold it."""
    if file := beside(path, ending):
        file.write_text(json.dumps(work.described, indent=1, ensure_ascii=False), "utf-8")


def read_description(path: Path, ending: str) -> dict[str, Any]:
    """Return the description that went along, as others will read it."""
    if file := beside(path, ending):
        described: dict[str, Any] = json.loads(file.read_bytes())
        return described
    return read_properties(path) if ending == ".onnx" else read_files(path)

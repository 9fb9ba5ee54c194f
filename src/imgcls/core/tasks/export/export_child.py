"""Write a model for another runtime, run it there and compare: the work of a child process."""

from __future__ import annotations

import errno
import gc
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.child import read_request
from imgcls.core.engines.keras_engine import KerasEngine
from imgcls.core.engines.model import Model
from imgcls.core.errors import ImgclsError, ModelError, OutputError, one_line
from imgcls.core.files import remove
from imgcls.core.keras.exported import ImageInput, exported_model
from imgcls.core.keras.start import import_keras
from imgcls.core.models.exported_description import ExportedDescription, scaled_as_described
from imgcls.core.models.find_model import FoundModel, find_model
from imgcls.core.pixels.preprocessing import SCALINGS, Uint8Image
from imgcls.core.tasks.export.check_photos import check_pixels
from imgcls.core.tasks.export.export import CALIBRATION_FILE, MADE_FOLDER, OUTCOME_FILE
from imgcls.core.tasks.export.options import (
    FORMATS,
    ExportFormat,
    ExportOptions,
)
from imgcls.core.tasks.export.runtimes import run_exported
from imgcls.core.tasks.export.writers import (
    WRITERS,
    Work,
    read_description,
    write_description,
)
from imgcls.core.words import counted

# The greatest difference of a score from the model's own that is accepted.
BOUNDS: Mapping[str, float] = {"float32": 1e-4, "float16": 1e-2}
# int8 must name the same class for this part of the photos that it was calibrated on.
LEAST_AGREEMENT = 0.95


def main() -> None:
    """Do what standard input asks for; the outcome is JSON in the folder that it names."""
    request = json.loads(read_request())
    import_keras(alone=True)
    folder = Path(request["folder"])
    try:
        outcome = export_into(request, folder)
    except ImgclsError as error:
        outcome = {"error": str(error), "kind": type(error).__name__}
    except OSError as error:
        why = _of_disk(error) or error.strerror or one_line(str(error))
        text = f"{request['shown']}: cannot be written: {why}"
        outcome = {"error": text, "kind": OutputError.__name__}
    if "error" in outcome:
        for left in folder.iterdir():  # which may be what fills the disk
            remove(left)
    (folder / OUTCOME_FILE).write_text(json.dumps(outcome))


def _of_disk(error: Exception) -> str | None:
    """Return what the disk says in the long message of a library; None if it says nothing."""
    said = map(os.strerror, (errno.ENOSPC, errno.EFBIG))
    return next((text for text in said if text in str(error)), None)


def export_into(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Export what a request of `export` asks for into a folder; return the outcome.

    Raises:
        ModelError: it cannot be exported so, or its scores differ.
    """
    name, ending = request["model"], request["ending"]
    options, format_ = ExportOptions(**request["options"]), FORMATS[ending]
    found = find_model(name, request["weights"])
    calibration = None
    if (folder / CALIBRATION_FILE).is_file():
        calibration = np.load(folder / CALIBRATION_FILE)
    pixels = check_pixels(found.preprocessing) if calibration is None else calibration
    engine = KerasEngine(found.network)
    expected = _scores_one_by_one(found, engine, pixels)
    work = _work(name, found, engine.model, format_, options, calibration)
    del engine
    made = folder / MADE_FOLDER / Path(request["output"]).name
    made.parent.mkdir()
    try:
        WRITERS[ending](work, made)
    except (ImgclsError, OSError):
        raise
    except Exception as error:  # each converter refuses in ways of its own what it cannot express
        if why := _of_disk(error):
            raise OSError(why) from error
        what = f"{name}: cannot be exported as {ending} ({one_line(str(error))})"
        raise ModelError(what) from error
    write_description(work, made, ending)
    described = read_description(made, ending)
    del work
    gc.collect()
    batch = scaled_as_described(pixels, described)
    together = (options.batch or format_.batch) != "fixed"
    scores = run_exported(ending, made, batch, together=together)
    _sync(made.parent)
    return _compared(name, options, expected, scores) | {"size": _size(made.parent)}


def _scores_one_by_one(found: FoundModel, engine: KerasEngine, pixels: Uint8Image) -> Float32Array:
    """Return the scores that the model gives, (n, classes)."""
    model = Model("", found.network, found.preprocessing, found.labels, engine, found.head)
    return np.concatenate([model.scores(found.preprocessing.scale(one[None])) for one in pixels])


def _work(
    name: str,
    found: FoundModel,
    model: Any,
    format_: ExportFormat,
    options: ExportOptions,
    calibration: Uint8Image | None,
) -> Work:
    scaling = found.preprocessing.scaling
    image = ImageInput(scaling, options.with_preprocessing, format_.takes_rgb)
    described = ExportedDescription(
        model=Path(name).stem,
        preprocessing=found.preprocessing,
        labels=found.labels,
        is_uint8=image.is_uint8,
        takes_bgr=SCALINGS[scaling].bgr and not image.reverses,
    )
    return Work(
        model=exported_model(model, found.network, found.head, image),
        described=described.to_json(),
        options=options,
        any_batch=(options.batch or format_.batch) != "fixed",
        calibration=calibration,
    )


def _compared(
    name: str, options: ExportOptions, expected: Float32Array, scores: Float32Array
) -> dict[str, Any]:
    """Return how far the scores are from those of the model.

    Raises:
        ModelError: too far.
    """
    difference = float(np.abs(scores - expected).max())
    same = scores.argmax(axis=1) == expected.argmax(axis=1)
    bound = BOUNDS.get(options.precision)
    if bound is None and not same.mean() >= LEAST_AGREEMENT:
        raise ModelError(
            f"{name}: cannot be exported as int8: it names the same class as float32 for only "
            f"{np.count_nonzero(same)} of {counted(len(same), 'photo')} (at least "
            f"{LEAST_AGREEMENT:.0%} are asked for); calibrate it on photos like those to "
            "be classified, or use `precision` float16"
        )
    if bound is not None and not difference <= bound:
        raise ModelError(
            f"{name}: cannot be exported: its scores would differ by {difference:.1e}, more than "
            f"{bound:.0e}; please report it"
        )
    return {
        "images": len(expected),
        "bound": bound,
        "max_difference": difference,
        "agreement": float(same.mean()),
        "least_agreement": LEAST_AGREEMENT if bound is None else None,
    }


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in _files(folder))


def _sync(folder: Path) -> None:
    """Let nothing take its name that the disk does not hold yet."""
    for file in _files(folder):
        with open(file, "rb") as opened:
            os.fsync(opened.fileno())

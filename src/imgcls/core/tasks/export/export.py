"""Take a model to another runtime, and prove there that it is the same."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.child import run_child
from imgcls.core.engines.compiled.calibration import (
    CALIBRATION_IMAGES,
    FEWEST_KEPT,
    calibration_pixels,
)
from imgcls.core.engines.compiled.compile import memory_lacking
from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.files import remove, temporary_name, working_folder
from imgcls.core.models.find_model import FoundModel, find_model
from imgcls.core.models.keras_weights import check_weights
from imgcls.core.output_file import only_writer
from imgcls.core.pixels.sources import expand_path
from imgcls.core.tasks.export.options import (
    FORMATS,
    ExportOptions,
    beside,
    check_output,
    ending_of,
)

log = logging.getLogger("imgcls")

# What the child process finds and leaves in its folder.
CALIBRATION_FILE, OUTCOME_FILE, MADE_FOLDER = "calibration.npy", "outcome.json", "made"


@dataclass(frozen=True)
class ExportedModel:
    """A model that was exported.

    Attributes:
        path: the file, or the folder.
        beside: the file with labels and preprocessing, where they are not in `path`.
        format: what runs it.
        precision: of its weights.
        size: in bytes.
        images: on how many images it was compared with the model.
        bound: the greatest difference of a score that was accepted; None for int8.
        max_difference: the greatest difference of a score that there was.
        agreement: the part of the images for which it names the same class.
        least_agreement: the least that was accepted; None but for int8.
    """

    path: Path
    beside: Path | None
    format: str
    precision: str
    size: int
    images: int
    bound: float | None
    max_difference: float
    agreement: float
    least_agreement: float | None


def export(
    model: str,
    output: str | os.PathLike[str],
    options: ExportOptions | None = None,
    *,
    weights: str | os.PathLike[str] | None = None,
) -> ExportedModel:
    """Write a model for another runtime, run it there, and compare its scores.

    The work is done by a child process beside the output, which takes its name when all is
    proven; what fails or is interrupted leaves nothing. One export at a time writes to a name.

    Args:
        model: a name from the table of models, or the path of a model file.
        output: the file; its ending, a row of `FORMATS`, says which form.
        options: how it is exported.
        weights: a local weights file for a named model.

    Raises:
        ModelError: there is no such model, it cannot be exported so, or its scores differ.
        OutputError: the output is there already, another export writes it, or it cannot be
            written.
        UsageError: the options do not go with the format.
        WeightsError: the weights are missing or do not fit.

    Example:
        >>> import imgcls
        >>> done = imgcls.export("efficientnet-lite0", "lite0.tflite")
        >>> done.images, done.max_difference < done.bound
        (8, True)
    """
    options = options or ExportOptions()
    ending, path = ending_of(output), Path(output)
    options.check_format(path, FORMATS[ending])
    check_output(path, ending, force=options.force)
    given = _text(weights)
    found = find_model(model, given)
    if ending == ".tflite" and (lacking := memory_lacking(found.network.spec)):
        raise ModelError(f"{model}: cannot be exported as .tflite ({lacking}, and here is less)")
    check_weights(found.network)  # said at once, not when a child has started Keras
    target = Path(os.path.realpath(path))
    with only_writer(target, os.fspath(output)), working_folder(target) as folder:
        if options.calibrate is not None:
            np.save(folder / CALIBRATION_FILE, _calibration(found, options.calibrate))
        log.info("%s: writing %s and comparing its scores", model, os.fspath(output))
        request = {
            "model": model,
            "output": os.fspath(target),
            "shown": os.fspath(output),
            "weights": given,
            "ending": ending,
            "folder": os.fspath(folder),
            "options": asdict(options) | {"calibrate": _text(options.calibrate)},
        }
        outcome = _run_child(path, folder, request)
        # Again, for it may have come meanwhile.
        check_output(path, ending, force=options.force)
        made = sorted((folder / MADE_FOLDER).iterdir(), key=lambda file: file.name == target.name)
        for file in made:  # the model itself comes last
            _take_name(file, target.with_name(file.name))
    if found.familiarity is not None:
        log.info("%s: it calls no photo unknown there: familiarity does not go along", model)
    return ExportedModel(
        path, beside(path, ending), FORMATS[ending].name, options.precision, **outcome
    )


def _text(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)


def _calibration(found: FoundModel, calibrate: str | os.PathLike[str]) -> np.ndarray:
    """Return the photos that int8 is calibrated on, uint8 (n, size, size, 3)."""
    pixels = list(calibration_pixels(found.preprocessing, expand_path(os.fspath(calibrate))))
    if len(pixels) < FEWEST_KEPT:
        raise UsageError(
            f"{os.fspath(calibrate)}: int8 is calibrated on {FEWEST_KEPT} photos or more, at best "
            f"{CALIBRATION_IMAGES}, and here are {len(pixels)}; name a folder with more"
        )
    return np.stack(pixels)


def _run_child(path: Path, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    child = run_child(
        "from imgcls.core.tasks.export.export_child import main; main()",
        json.dumps(request),
        folder,
        show=log.isEnabledFor(logging.DEBUG),
    )
    outcome_file = folder / OUTCOME_FILE
    if not (outcome_file.is_file() and outcome_file.stat().st_size):  # also on a full disk
        last = (child.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
        if child.returncode < 0:
            last = f"killed by signal {-child.returncode}; is there enough memory?"
        raise ModelError(f"{path}: cannot be exported ({last}); `verbose` shows more")
    outcome: dict[str, Any] = json.loads(outcome_file.read_bytes())
    if "error" in outcome:
        kind = OutputError if outcome["kind"] == "OutputError" else ModelError
        raise kind(outcome["error"])
    return outcome


def _take_name(made: Path, target: Path) -> None:
    """Give what was made its name, in the place of what has it."""
    try:
        if not target.is_dir():
            os.replace(made, target)
            return
        earlier = temporary_name(target)  # a folder cannot be replaced in one step
        os.rename(target, earlier)
        try:
            os.rename(made, target)
        except OSError:
            os.rename(earlier, target)
            raise
        remove(earlier)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from error

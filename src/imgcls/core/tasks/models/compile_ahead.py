"""Compile a model for this machine before it is needed."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from imgcls.core.engines.compiled.compile import Unsupported, compiled_model
from imgcls.core.engines.engine import Precision
from imgcls.core.engines.speeds import Speeds, time_engines
from imgcls.core.errors import ModelError, UsageError
from imgcls.core.models.find_model import find_model
from imgcls.core.pixels.sources import expand_path


@dataclass(frozen=True)
class CompiledAhead:
    """A model that was compiled.

    Attributes:
        name: of the model.
        precision: "float32" or "int8".
        path: the compiled file in the cache.
        milliseconds: how long an image takes on one core of this machine.
        float32_milliseconds: how long it takes as float32; None for a float32 model.
        agreement: for which part of the calibration photos int8 names the class that float32
            names, 0 to 1; None for a float32 model.
        calibrated_on: how many these were; None for a float32 model.
        speeds: how fast each engine runs it; None for an int8 model, and where they could not be
            timed.
    """

    name: str
    precision: Precision
    path: Path
    milliseconds: float
    float32_milliseconds: float | None = None
    agreement: float | None = None
    calibrated_on: int | None = None
    speeds: Speeds | None = None


def compile_model(
    name: str,
    *,
    weights: str | os.PathLike[str] | None = None,
    precision: Precision = "float32",
    calibrate: str | os.PathLike[str] | None = None,
) -> CompiledAhead:
    """Compile a model for this machine and time the engines on it, unless that was done before.

    Args:
        name: of the model, or the path of a file written by `finetune` or `models import`.
        weights: a local weights file for it; default: its ImageNet weights.
        precision: "int8" needs photos to calibrate on the first time.
        calibrate: a folder of photos like those to be classified; the model is then made anew.

    Raises:
        ModelError: there is no such model, or LiteRT cannot run it.
        UsageError: `calibrate` is given for float32, or `weights` for a model file.
        WeightsError: its weights are missing or do not fit.

    Example:
        >>> import imgcls
        >>> compiled = imgcls.compile_model("efficientnet-lite0")
        >>> compiled.path.suffix, compiled.milliseconds > 0
        ('.tflite', True)
    """
    if calibrate is not None and precision != "int8":
        raise UsageError("`calibrate` goes with `precision` int8")
    network = find_model(name, None if weights is None else os.fspath(weights)).network
    photos = None if calibrate is None else expand_path(os.fspath(calibrate))
    compiled = compiled_model(network, precision, photos, anew=calibrate is not None)
    if isinstance(compiled, Unsupported):
        advice = "predict runs it on Keras" if precision == "float32" else "use float32"
        raise ModelError(
            f"{name}: LiteRT cannot run it as {precision} ({compiled.reason}); {advice}"
        )
    facts = compiled.facts
    done = CompiledAhead(name, precision, Path(compiled.path), facts["milliseconds"])
    if precision == "float32":
        return replace(done, speeds=time_engines(network.title, compiled))
    return replace(
        done,
        float32_milliseconds=facts.get("float32_milliseconds"),
        agreement=facts["agreement"],
        calibrated_on=facts["calibration"]["images"],
    )

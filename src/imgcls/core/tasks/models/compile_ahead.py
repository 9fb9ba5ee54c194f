"""Compile a model for this machine before it is needed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from imgcls.core.engines.compiled.compile import Unsupported, compiled_model
from imgcls.core.engines.engine import Precision
from imgcls.core.engines.model import find_spec, is_model_file, open_model_file
from imgcls.core.errors import ModelError, UsageError
from imgcls.core.models.weights import Network, find_weights
from imgcls.core.pixels.sources import expand_path


@dataclass(frozen=True)
class CompiledAhead:
    """A model that was compiled.

    Attributes:
        name: of the model.
        precision: "float32" or "int8".
        path: the compiled file in the cache.
        milliseconds: how long an image takes on one core of this machine.
    """

    name: str
    precision: Precision
    path: Path
    milliseconds: float


def compile_model(
    name: str,
    *,
    weights: str | os.PathLike[str] | None = None,
    precision: Precision = "float32",
    calibrate: str | os.PathLike[str] | None = None,
) -> CompiledAhead:
    """Compile a model for this machine, unless that was done before.

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
    network = _network(name, weights)
    photos = None if calibrate is None else expand_path(os.fspath(calibrate))
    compiled = compiled_model(network, precision, photos, anew=calibrate is not None)
    if isinstance(compiled, Unsupported):
        advice = "predict runs it on Keras" if precision == "float32" else "use float32"
        raise ModelError(
            f"{name}: LiteRT cannot run it as {precision} ({compiled.reason}); {advice}"
        )
    return CompiledAhead(name, precision, Path(compiled.path), compiled.facts["milliseconds"])


def _network(name: str, weights: str | os.PathLike[str] | None) -> Network:
    if is_model_file(name):
        if weights is not None:
            raise UsageError(
                f"{name}: is a model file and has its own weights; leave out `weights`"
            )
        return open_model_file(name).network(Path(name))
    given = None if weights is None else os.fspath(weights)
    spec = find_spec(name)
    return Network(name, spec, find_weights(name, spec, given))

"""Write what layers answer to images: a sheet for each, and the arrays if they are wanted."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.errors import UsageError, as_image_error
from imgcls.core.files import atomic_writer
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.activation_sheet import DEFAULT_CHANNELS, dead_channels, draw_sheet
from imgcls.core.tasks.heatmap.activations import ActivationOptions, Observer
from imgcls.core.tasks.heatmap.picture_files import make_folder, not_ours, save_picture

# In every file of arrays: what tells an earlier output from any other .npz.
_MARK = b"imgcls activations"
_A_TIME = (1980, 1, 1, 0, 0, 0)  # the same arrays are the same bytes


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """One layer of a sheet.

    Attributes:
        shape: (h, w, c), or (d,).
        dead: how many of its channels are the same everywhere, for this image.
    """

    shape: tuple[int, ...]
    dead: int


@dataclass(frozen=True, slots=True)
class ActivationRecord:
    """What became of one input.

    Attributes:
        path: the input's name, as given.
        model: the model's name.
        output: the sheet that was written; None on error.
        raw: the arrays that were written as .npz; None without.
        prediction: the best class; None on error.
        layers: by name, in the order of the network.
        error: why the input failed; None if it did not.
    """

    path: str
    model: str
    output: str | None
    raw: str | None
    prediction: Prediction | None
    layers: Mapping[str, LayerSummary]
    error: str | None


@dataclass(frozen=True, slots=True)
class SheetOptions:
    """What is written for each image.

    Attributes:
        channels: at most so many of each layer are drawn, the first.
        raw: whether the arrays are written too, as .npz beside the sheet.

    Raises:
        UsageError: `channels` is below 1.
    """

    channels: int = DEFAULT_CHANNELS
    raw: bool = False

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise UsageError(f"`channels` must be 1 or more; it is {self.channels}")


def write_activations(
    jobs: Iterable[tuple[Source, str]],
    model: Model,
    options: ActivationOptions,
    sheet: SheetOptions,
) -> Iterator[ActivationRecord]:
    """Write a sheet for each image; yield a record for every input, in order.

    Args:
        jobs: the images and the file of each one's sheet, from `name_outputs`; read lazily.
        model: whose layers.
        options: which layers.
        sheet: what is written.

    Raises:
        OutputError: a file cannot be written.
        UsageError: there is no such layer.
    """
    observer = Observer(model, options)
    return (_write_one(source, name, observer, sheet) for source, name in jobs)


def unread_activations(
    jobs: Iterable[tuple[Source, str]], model: Model
) -> Iterator[ActivationRecord]:
    """Yield the records of sources that are known to be missing; the model may be closed."""
    return (_failed(source, model.name, source.reason) for source, _ in jobs)


def _write_one(
    source: Source, output: str, observer: Observer, sheet: SheetOptions
) -> ActivationRecord:
    raw = os.path.splitext(output)[0] + ".npz" if sheet.raw else None
    seen = observer.observe(source)
    error = seen.error or _refusal(output, raw)
    if error is None:
        try:
            picture = draw_sheet(seen, sheet.channels)
        except Exception as failure:  # one bad image ends nothing but itself
            error = str(as_image_error(failure))
    if error is not None:
        return _failed(source, seen.model, error)
    make_folder(os.path.dirname(output) or os.curdir)
    save_picture(picture, output)
    if raw is not None:
        _save_arrays(seen.layers, raw)
    layers = {
        name: LayerSummary(values.shape, dead_channels(values))
        for name, values in seen.layers.items()
    }
    return ActivationRecord(source.name, seen.model, output, raw, seen.prediction, layers, None)


def _failed(source: Source, model: str, error: str) -> ActivationRecord:
    return ActivationRecord(source.name, model, None, None, None, {}, error)


def _save_arrays(layers: Mapping[str, Float32Array], path: str) -> None:
    # np.savez takes the names as its own arguments, and a layer may be called "file".
    with atomic_writer(Path(path)) as file, zipfile.ZipFile(file, "w") as archive:
        archive.comment = _MARK
        for name, values in layers.items():
            member = zipfile.ZipInfo(f"{name}.npy", _A_TIME)
            with archive.open(member, "w", force_zip64=True) as array:
                np.lib.format.write_array(array, values, allow_pickle=False)


def _refusal(output: str, raw: str | None) -> str | None:
    """Say why an output must not be written; None if it may be."""
    if reason := not_ours(output):
        return f"{output}: {reason}"
    if raw is not None and os.path.lexists(raw) and not _are_arrays(raw):
        return f"{raw}: exists and is not an earlier output of this kind; name another output"
    return None


def _are_arrays(path: str) -> bool:
    """Whether a file is one of arrays that `_save_arrays` wrote."""
    if not os.path.isfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment == _MARK
    except (OSError, ValueError, zipfile.BadZipFile):
        return False

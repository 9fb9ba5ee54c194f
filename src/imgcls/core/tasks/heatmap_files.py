"""Write heatmaps: where, in which format, and never over anything but a heatmap."""

from __future__ import annotations

import hashlib
import os
import posixpath
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from imgcls.core.engines.model import usable_cores
from imgcls.core.errors import OutputError, UsageError
from imgcls.core.files import atomic_writer
from imgcls.core.pixels.images import SOFTWARE_TAG, software_of
from imgcls.core.pixels.sources import IMAGE_ENDINGS, Source
from imgcls.core.tasks.classify import Prediction
from imgcls.core.tasks.faithfulness import Faithfulness
from imgcls.core.tasks.heatmap import Explainer, Explanation, Unexplained
from imgcls.core.tasks.ordered import map_ordered
from imgcls.core.tasks.overlay import (
    DEFAULT_ALPHA,
    DEFAULT_COLORMAP,
    color_table,
    draw_overlay,
    draw_panel,
)
from imgcls.core.version import __version__

Status = Literal["ok", "no evidence", "error"]

ENDING = ".heatmap.png"
_SOFTWARE = "imgcls heatmap"
_NUMPY_START = b"\x93NUMPY"

# What a heatmap can be written as: those formats that can say what wrote them. PNG is packed
# by run lengths: on photos as small as the usual way, and in a quarter of the time.
FORMATS = {
    ".png": ("PNG", {"compress_type": zlib.Z_RLE}),
    ".jpg": ("JPEG", {"quality": 92}),
    ".jpeg": ("JPEG", {"quality": 92}),
    ".webp": ("WEBP", {"quality": 92}),
    ".tif": ("TIFF", {}),
    ".tiff": ("TIFF", {}),
}


@dataclass(frozen=True, slots=True)
class HeatmapRecord:
    """What became of one input.

    Attributes:
        path: the input's name, as given.
        status: "ok", "no evidence" (nothing spoke for the class) or "error".
        model: the model's name.
        output: the picture that was written; None on error.
        raw: the map that was written as .npy; None without.
        method: a name from `CAM_METHODS`.
        layer: whose activations were looked at.
        prediction: the class explained; None on error.
        versus: the class that it was held against; None without.
        faithfulness: None if it was not asked for or there is no evidence.
        error: why the input failed; None if it did not.
    """

    path: str
    status: Status
    model: str
    output: str | None
    raw: str | None
    method: str
    layer: str
    prediction: Prediction | None
    versus: Prediction | None
    faithfulness: Faithfulness | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a heatmap is drawn.

    Attributes:
        alpha: how much of the colour lies over the image, 0 to 1.
        colormap: a name of matplotlib's.
        panel: image, heatmap and overlay side by side, not the overlay alone.
        raw: whether the map is written too, as .npy beside the picture.
    """

    alpha: float = DEFAULT_ALPHA
    colormap: str = DEFAULT_COLORMAP
    panel: bool = False
    raw: bool = False

    def __post_init__(self) -> None:
        color_table(self.colormap)  # an unknown one is refused before any work

    def draw(self, explanation: Explanation) -> Image.Image:
        """Draw an explanation."""
        function = draw_panel if self.panel else draw_overlay
        return function(explanation, alpha=self.alpha, colormap=self.colormap)


def write_heatmaps(
    sources: Iterable[Source],
    out: str,
    explainer: Explainer,
    drawing: Drawing,
    workers: int | None = None,
) -> Iterator[HeatmapRecord]:
    """Explain images and write their heatmaps; yield a record for every input, in order.

    Args:
        sources: the images; read lazily.
        out: a file for one image, by its ending; else a folder, made if it is not there.
        explainer: what is asked of them.
        drawing: how the answer is drawn.
        workers: how many images to work on at once; default: one a processor core.

    Raises:
        UsageError: `out` has an ending of a format that heatmaps are not written in.
        OutputError: it cannot be written, or is something else than an earlier heatmap.
    """
    jobs = _name_outputs(sources, out)

    def work(chunk: list[tuple[Source, str]]) -> list[HeatmapRecord]:
        return [_write_one(source, name, explainer, drawing) for source, name in chunk]

    return map_ordered(work, jobs, workers=workers or usable_cores())


def is_heatmap(path: str) -> bool:
    """Whether a file is a picture that `write_heatmaps` wrote."""
    return software_of(path).startswith(_SOFTWARE)


def _name_outputs(sources: Iterable[Source], out: str) -> Iterator[tuple[Source, str]]:
    """Pair each source with the file that its heatmap goes to; pass over earlier heatmaps."""
    stream = iter(sources)
    first = list(islice(stream, 2))
    is_picture = os.path.splitext(out)[1].lower() in IMAGE_ENDINGS
    if is_picture and len(first) == 1 and not first[0].root and not os.path.isdir(out):
        return iter([(first[0], _single(out))])
    if os.path.lexists(out) and not os.path.isdir(out):
        raise OutputError(f"{out}: is a file; name a folder for the heatmaps of a folder or list")
    if first:
        _make_folder(out)
    wanted = (source for source in chain(first, stream) if not _is_left_over(source))
    name = partial(_mirrored, out, set())
    return ((source, name(source)) for source in wanted)


def _single(out: str) -> str:
    if os.path.splitext(out)[1].lower() not in FORMATS:
        raise UsageError(f"{out}: heatmaps are written as {', '.join(FORMATS)}; name such a file")
    folder = os.path.dirname(out) or os.curdir
    if not os.path.isdir(folder):
        raise OutputError(f"{folder}: no such folder; make it first")
    if reason := _not_ours(out):
        raise OutputError(f"{out}: {reason}")
    return out


def _is_left_over(source: Source) -> bool:
    """Whether a folder walk met a heatmap of an earlier run, or of this one."""
    return bool(source.root) and source.name.endswith(ENDING) and is_heatmap(source.name)


def _mirrored(out: str, taken: set[bytes], source: Source) -> str:
    """Return a name that no other source of this run has.

    STEM.heatmap.png; for a later one of the same stem its whole name goes in, and then a
    number. Of the names that are taken only short hashes are kept.
    """
    folder, name = os.path.split(_relative(source))
    stem = os.path.splitext(name)[0]
    candidates = chain([stem, name], (f"{name}.{number}" for number in range(2, len(taken) + 3)))
    for candidate in candidates:
        path = os.path.join(out, folder, candidate + ENDING)
        key = hashlib.blake2b(os.fsencode(path).lower(), digest_size=8).digest()
        if key not in taken:
            taken.add(key)
            return path
    raise AssertionError("one of more candidates than taken names is free")


def _relative(source: Source) -> str:
    """Return where a source lies below the folder that was walked; its name if it was named."""
    if source.kind == "stdin":
        return "stdin"
    if source.kind == "url":
        path = urllib.parse.unquote(urllib.parse.urlsplit(source.name).path)
        # A name from the network: neither a path nor a control character comes through.
        name = posixpath.basename(path.rstrip("/"))
        return "".join(c for c in name if c.isprintable() and c not in '\\/:*?"<>|') or "image"
    if source.root:
        return os.path.relpath(source.name, source.root)
    return os.path.basename(source.name.rstrip("/")) or "image"


def _write_one(
    source: Source, output: str, explainer: Explainer, drawing: Drawing
) -> HeatmapRecord:
    explanation = explainer.explain(source)
    raw = os.path.splitext(output)[0] + ".npy" if drawing.raw else None
    error = explanation.error or _refusal(source, output, raw)
    if isinstance(explanation, Unexplained) or error is not None:
        return _failed(source, explainer, str(error))
    picture = drawing.draw(explanation)
    _make_folder(os.path.dirname(output) or os.curdir)
    _save(picture, output)
    if raw is not None:
        with atomic_writer(Path(raw)) as file:
            np.save(file, explanation.cam)
    return HeatmapRecord(
        source.name,
        "ok" if explanation.has_evidence else "no evidence",
        explanation.model,
        output,
        raw,
        explanation.method,
        explanation.layer,
        explanation.prediction,
        explanation.versus,
        explanation.faithfulness,
        None,
    )


def _failed(source: Source, explainer: Explainer, error: str) -> HeatmapRecord:
    method, name = explainer.question.method, explainer.model.name
    return HeatmapRecord(
        source.name, "error", name, None, None, method, explainer.layer, None, None, None, error
    )


def _refusal(source: Source, output: str, raw: str | None) -> str | None:
    """Say why an output must not be written; None if it may be."""
    if source.kind == "file" and os.path.exists(output) and os.path.samefile(output, source.name):
        return f"{output}: is the input itself; name another output"
    if reason := _not_ours(output):
        return f"{output}: {reason}"
    if raw is not None and os.path.lexists(raw) and not _is_map(raw):
        return f"{raw}: exists and is not a map; name another output"
    return None


def _not_ours(path: str) -> str | None:
    if not os.path.lexists(path) or is_heatmap(path):
        return None
    return "exists and is not an earlier heatmap; name another output"


def _is_map(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            start = file.read(128)
    except OSError:
        return False
    return start.startswith(_NUMPY_START) and b"'<f4'" in start


def _save(picture: Image.Image, path: str) -> None:
    format_name, options = FORMATS[os.path.splitext(path)[1].lower()]
    exif = Image.Exif()
    exif[SOFTWARE_TAG] = f"{_SOFTWARE} {__version__}"
    with atomic_writer(Path(path)) as file:
        picture.save(file, format_name, exif=exif, **options)


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made: {error.strerror}") from error

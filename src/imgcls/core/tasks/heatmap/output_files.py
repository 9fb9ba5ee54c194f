"""Write heatmaps, and never over anything but a heatmap."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from imgcls.core.engines.model import Model
from imgcls.core.errors import as_image_error
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.sources import Source
from imgcls.core.processor import usable_cores
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.explain import Explainer, layer_of
from imgcls.core.tasks.heatmap.explanation import Unexplained
from imgcls.core.tasks.heatmap.faithfulness import Faithfulness
from imgcls.core.tasks.heatmap.options import DrawOptions, ExplainOptions
from imgcls.core.tasks.heatmap.panel import draw
from imgcls.core.tasks.heatmap.picture_files import (
    is_map,
    make_folder,
    not_ours,
    save_map,
    save_picture,
)

Status = Literal["ok", "no evidence", "error"]


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
        faithfulness: None if it was not asked for or nothing speaks for the class.
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


def write_heatmaps(
    jobs: Iterable[tuple[Source, str]], explainer: Explainer, how: DrawOptions
) -> Iterator[HeatmapRecord]:
    """Explain images and write their heatmaps; yield a record for every input, in order.

    Args:
        jobs: the images and the file of each one's heatmap, from `name_outputs`; read lazily.
        explainer: what is explained about them.
        how: how it is drawn.

    Raises:
        OutputError: a heatmap cannot be written.
    """

    def work(chunk: list[tuple[Source, str]]) -> list[HeatmapRecord]:
        return [_write_one(source, name, explainer, how) for source, name in chunk]

    return map_ordered(work, jobs, workers=explainer.options.workers or usable_cores())


def unread_heatmaps(
    jobs: Iterable[tuple[Source, str]], model: Model, options: ExplainOptions
) -> Iterator[HeatmapRecord]:
    """Yield the records of sources that are known to be missing; the model may be closed."""
    layer = layer_of(model, options)
    return (_failed(source, model, options, layer, source.reason) for source, _ in jobs)


def _write_one(
    source: Source, output: str, explainer: Explainer, how: DrawOptions
) -> HeatmapRecord:
    failed = partial(_failed, source, explainer.model, explainer.options, explainer.layer)
    explanation = explainer.explain(source)
    raw = os.path.splitext(output)[0] + ".npy" if how.raw else None
    reason = explanation.error or _refusal(source, output, raw)
    if isinstance(explanation, Unexplained) or reason is not None:
        return failed(str(reason))
    try:
        picture = draw(explanation, how)
    except Exception as error:  # of whatever kind: the other images are drawn
        return failed(str(as_image_error(error)))
    make_folder(os.path.dirname(output) or os.curdir)
    save_picture(picture, output)
    if raw is not None:
        save_map(explanation.cam, raw)
    return HeatmapRecord(
        path=source.name,
        status="ok" if explanation.has_evidence else "no evidence",
        model=explanation.model,
        output=output,
        raw=raw,
        method=explanation.method,
        layer=explanation.layer,
        prediction=explanation.prediction,
        versus=explanation.versus,
        faithfulness=explanation.faithfulness,
        error=None,
    )


def _failed(
    source: Source, model: Model, options: ExplainOptions, layer: str, error: str
) -> HeatmapRecord:
    return HeatmapRecord(
        path=source.name,
        status="error",
        model=model.name,
        output=None,
        raw=None,
        method=options.method,
        layer=layer,
        prediction=None,
        versus=None,
        faithfulness=None,
        error=error,
    )


def _refusal(source: Source, output: str, raw: str | None) -> str | None:
    """Say why an output must not be written; None if it may be."""
    if source.kind == "file" and os.path.exists(output) and os.path.samefile(output, source.name):
        return f"{output}: is the input itself; name another output"
    if reason := not_ours(output):
        return f"{output}: {reason}"
    if raw is not None and os.path.lexists(raw) and not is_map(raw):
        return f"{raw}: exists and is not a map; name another output"
    return None

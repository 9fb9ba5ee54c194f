"""Write heatmaps, and never over anything but a heatmap."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from imgcls.core.engines.model import usable_cores
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.drawing import (
    DEFAULT_ALPHA,
    DEFAULT_COLORMAP,
    color_table,
    draw_overlay,
    draw_panel,
)
from imgcls.core.tasks.heatmap.explain import Explainer
from imgcls.core.tasks.heatmap.explanation import Explanation, Unexplained
from imgcls.core.tasks.heatmap.faithfulness import Faithfulness
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
    jobs: Iterable[tuple[Source, str]],
    explainer: Explainer,
    drawing: Drawing,
    workers: int | None = None,
) -> Iterator[HeatmapRecord]:
    """Explain images and write their heatmaps; yield a record for every input, in order.

    Args:
        jobs: the images and the file of each one's heatmap, from `name_outputs`; read lazily.
        explainer: what is asked of them.
        drawing: how the answer is drawn.
        workers: how many images to work on at once; default: one a processor core.

    Raises:
        OutputError: a heatmap cannot be written.
    """

    def work(chunk: list[tuple[Source, str]]) -> list[HeatmapRecord]:
        return [_write_one(source, name, explainer, drawing) for source, name in chunk]

    return map_ordered(work, jobs, workers=workers or usable_cores())


def _write_one(
    source: Source, output: str, explainer: Explainer, drawing: Drawing
) -> HeatmapRecord:
    explanation = explainer.explain(source)
    raw = os.path.splitext(output)[0] + ".npy" if drawing.raw else None
    error = explanation.error or _refusal(source, output, raw)
    if isinstance(explanation, Unexplained) or error is not None:
        return _failed(source, explainer, str(error))
    picture = drawing.draw(explanation)
    make_folder(os.path.dirname(output) or os.curdir)
    save_picture(picture, output)
    if raw is not None:
        save_map(explanation.cam, raw)
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
    if reason := not_ours(output):
        return f"{output}: {reason}"
    if raw is not None and os.path.lexists(raw) and not is_map(raw):
        return f"{raw}: exists and is not a map; name another output"
    return None

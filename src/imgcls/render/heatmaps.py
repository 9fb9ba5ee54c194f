"""Records of `heatmap` → text or JSON Lines: a row per format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from imgcls.core.rounding import rounded
from imgcls.core.safe import printable

if TYPE_CHECKING:
    from imgcls.core.tasks.heatmap.output_files import HeatmapRecord


def as_json(record: HeatmapRecord) -> dict[str, Any]:
    """Return a record as JSON has it; what was not asked for or is not known is null."""
    prediction, versus, measured = record.prediction, record.versus, record.faithfulness
    return {
        "path": record.path,
        "status": record.status,
        "model": record.model,
        "output": record.output,
        "raw": record.raw,
        "method": record.method,
        "layer": record.layer,
        "class": prediction and prediction.label,
        "class_id": prediction and prediction.class_id,
        "rank": prediction and prediction.rank,
        "score": prediction and rounded(prediction.score),
        "versus": versus and versus.label,
        "versus_score": versus and rounded(versus.score),
        "deletion": measured and rounded(measured.deletion),
        "insertion": measured and rounded(measured.insertion),
        "error": record.error,
    }


def jsonl(records: Iterable[HeatmapRecord]) -> Iterator[str]:
    """Yield a JSON object a line."""
    for record in records:
        yield json.dumps(as_json(record)) + "\n"


def text(records: Iterable[HeatmapRecord]) -> Iterator[str]:
    """Yield a line an image: path, output, method, layer, class, score."""
    for record in records:
        yield f"{printable(record.path)}: {printable(_answer(record))}\n"


def _answer(record: HeatmapRecord) -> str:
    prediction, versus = record.prediction, record.versus
    if prediction is None:
        return f"error: {record.error}"
    parts = [str(record.output), record.method, record.layer]
    asked = f"{prediction.label} ({prediction.score:.2%})"
    if versus is not None:
        asked += f" against {versus.label} ({versus.score:.2%})"
    parts.append(asked)
    if record.status == "no evidence":
        parts.append("no evidence")
    if record.faithfulness is not None:
        measured = record.faithfulness
        parts.append(f"deletion {measured.deletion:.3f}, insertion {measured.insertion:.3f}")
    return "  ".join(parts)


def layers_text(layers: Mapping[str, tuple[int, int, int]], default: str) -> Iterator[str]:
    """Yield a line a layer: name and height×width×channels; the default one says so."""
    width = max(map(len, layers), default=0)
    for name, shape in layers.items():
        mark = "  (default)" if name == default else ""
        yield f"{name:<{width}}  {'×'.join(map(str, shape))}{mark}\n"


def layers_jsonl(layers: Mapping[str, tuple[int, int, int]], default: str) -> Iterator[str]:
    """Yield a JSON object a layer."""
    for name, shape in layers.items():
        yield json.dumps({"layer": name, "shape": shape, "default": name == default}) + "\n"


FORMATS: Mapping[str, Callable[[Iterable[HeatmapRecord]], Iterator[str]]] = {
    "text": text,
    "jsonl": jsonl,
}
LAYER_FORMATS: Mapping[str, Callable[[Mapping[str, tuple[int, int, int]], str], Iterator[str]]] = {
    "text": layers_text,
    "jsonl": layers_jsonl,
}

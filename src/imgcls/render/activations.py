"""Records of `activations` → text or JSON Lines: a row per format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from imgcls.core.rounding import rounded
from imgcls.core.safe import printable
from imgcls.core.words import counted

if TYPE_CHECKING:
    from imgcls.core.tasks.heatmap.activation_files import ActivationRecord


def as_json(record: ActivationRecord) -> dict[str, Any]:
    """Return a record as JSON has it; what is not known is null."""
    prediction = record.prediction
    return {
        "path": record.path,
        "status": "error" if record.error else "ok",
        "model": record.model,
        "output": record.output,
        "raw": record.raw,
        "class": prediction and prediction.label,
        "class_id": prediction and prediction.class_id,
        "score": prediction and rounded(prediction.score),
        "layers": [
            {"layer": name, "shape": list(layer.shape), "dead": layer.dead}
            for name, layer in record.layers.items()
        ],
        "error": record.error,
    }


def jsonl(records: Iterable[ActivationRecord]) -> Iterator[str]:
    """Yield a JSON object a line."""
    for record in records:
        yield json.dumps(as_json(record)) + "\n"


def text(records: Iterable[ActivationRecord]) -> Iterator[str]:
    """Yield a line an image: path, output, layers, class, score."""
    for record in records:
        yield f"{printable(record.path)}: {printable(_in_words(record))}\n"


def _in_words(record: ActivationRecord) -> str:
    prediction = record.prediction
    if prediction is None:
        return f"error: {record.error}"
    layers = counted(len(record.layers), "layer")
    return f"{record.output}  {layers}  {prediction.label} ({prediction.score:.2%})"


FORMATS: Mapping[str, Callable[[Iterable[ActivationRecord]], Iterator[str]]] = {
    "text": text,
    "jsonl": jsonl,
}

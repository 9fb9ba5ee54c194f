"""The layers of a network → text or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from imgcls.core.safe import printable
from imgcls.core.tasks.models.layers import NetworkSummary
from imgcls.core.words import counted

_HEADINGS = ("layer", "kind", "output", "parameters", "weights")


def json_object(summary: NetworkSummary) -> Iterator[str]:
    """Yield one JSON object."""
    facts: dict[str, Any] = {
        "model": summary.model,
        "layers": [asdict(layer) for layer in summary.layers],
        "parameters": summary.parameters,
        "statistics": summary.statistics,
        "origins": summary.origins,
    }
    yield json.dumps(facts, indent=1) + "\n"


def text(summary: NetworkSummary) -> Iterator[str]:
    """Yield a line a layer, and the totals."""
    rows = [
        (
            layer.name,
            layer.kind,
            "×".join("?" if side is None else str(side) for side in layer.shape),
            f"{layer.parameters:,}" if layer.parameters else "",
            layer.weights or "",
        )
        for layer in summary.layers
    ]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    yield f"{printable(summary.model)}\n"
    for name, kind, output, parameters, weights in (_HEADINGS, *rows):
        line = (
            f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {output:<{widths[2]}}"
            f"  {parameters:>{widths[3]}}  {weights}"
        )
        yield line.rstrip() + "\n"
    layers, parameters = counted(len(rows), "layer"), f"{summary.parameters:,} parameters"
    yield f"  {layers}, {parameters}: {_totals(summary)}\n"


def _totals(summary: NetworkSummary) -> str:
    totals = ", ".join(f"{count:,} {origin}" for origin, count in summary.origins.items())
    if summary.statistics:
        totals += f"; {summary.statistics:,} of them are statistics of normalization"
    return totals


FORMATS: Mapping[str, Callable[[NetworkSummary], Iterator[str]]] = {
    "text": text,
    "json": json_object,
}

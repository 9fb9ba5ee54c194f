"""What a model file says → text or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imgcls.core.models.model_file import ModelFile
from imgcls.core.safe import printable
from imgcls.core.words import counted
from imgcls.render.training_facts import training_facts


def as_json(name: str, file: ModelFile) -> dict[str, Any]:
    """Return all but the tensors as JSON has it."""
    return {
        "file": name,
        "backbone": file.backbone,
        "backbone_weights": file.backbone_weights,
        "weights_sha256": file.weights_sha256,
        "head": file.head.widths if file.head else (),
        "labels": file.labels,
        "preprocessing": file.preprocessing._asdict(),
        "features": file.features or None,
        "metrics": file.metrics,
        "training": file.training,
        "versions": file.versions,
    }


def json_object(name: str, file: ModelFile) -> Iterator[str]:
    """Yield one JSON object."""
    yield json.dumps(as_json(name, file), indent=1) + "\n"


def text(name: str, file: ModelFile) -> Iterator[str]:
    """Yield a line a fact."""
    if file.backbone_weights == "stored":
        weights = "in the file"
    else:
        weights = f"its own, SHA-256 {file.weights_sha256}"
    facts = {
        **_network(file),
        "its weights": weights,
        "head": " → ".join(map(str, file.head.widths)) if file.head else "none",
        "labels": ", ".join(file.labels),
        **_familiarity(file),
        "preprocessing": file.preprocessing.in_words(),
        **({"features": file.features} if file.features else {}),
        **(training_facts(file) or _flat(file.metrics) | _flat(file.training)),
        "written with": ", ".join(f"{package} {value}" for package, value in file.versions.items()),
    }
    width = max(len(printable(fact)) for fact in facts)
    yield f"{printable(name)}\n"
    for fact, value in facts.items():
        yield f"  {printable(fact):<{width}}  {printable(value)}\n"


def _familiarity(file: ModelFile) -> dict[str, str]:
    """Return with how many photos an image is compared to be known; nothing without that."""
    if file.familiarity is None:
        return {}
    return {"familiarity": f"compared with {counted(len(file.familiarity.closeness), 'photo')}"}


def _network(file: ModelFile) -> dict[str, str]:
    if file.described is None:
        return {"backbone": file.backbone}
    layers, parameters = len(file.described.layers), file.described.parameter_count
    return {
        "network": f"described in the file: {counted(layers, 'layer')}, {parameters:,} parameters",
        "heatmaps look at": file.described.cam_layer,
    }


def _flat(value: Mapping[str, Any]) -> dict[str, str]:
    """Return what the file says for people, a text each; objects as "a 1, b 2"."""
    return {
        key.replace("_", " "): (
            ", ".join(f"{inner} {value}" for inner, value in entry.items())
            if isinstance(entry, dict)
            else ", ".join(map(str, entry)) or "none"
            if isinstance(entry, list | tuple)
            else ("no", "yes")[entry]
            if isinstance(entry, bool)
            else f"{entry:.6g}"
            if isinstance(entry, float)
            else str(entry)
        )
        for key, entry in value.items()
    }


FORMATS: Mapping[str, Callable[[str, ModelFile], Iterator[str]]] = {
    "text": text,
    "json": json_object,
}

"""The table of models as it is here: what is installed, fetched and compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgcls.core.models.spec import BundledWeights, ModelSpec
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import weights_path

# "install": in a package that is not installed.
Where = Literal["bundled", "here", "download", "install"]


@dataclass(frozen=True)
class ListedModel:
    """A row of the table, and where its weights are.

    Attributes:
        name: of the model.
        spec: its row.
        where: its weights are.
        path: their file; None where there is none.
        megabytes: their size; None for a package that is not installed.
    """

    name: str
    spec: ModelSpec
    where: Where
    path: Path | None
    megabytes: int | None


def listed(name: str) -> ListedModel:
    """Look where a named model's weights are."""
    spec = MODELS[name]
    path = weights_path(spec)
    if path is not None and path.is_file():
        where: Where = "bundled" if isinstance(spec.weights, BundledWeights) else "here"
        return ListedModel(name, spec, where, path, round(path.stat().st_size / 2**20))
    if isinstance(spec.weights, BundledWeights):
        return ListedModel(name, spec, "install", None, None)
    return ListedModel(name, spec, "download", None, spec.weights.megabytes)


def all_listed() -> Iterator[ListedModel]:
    """Yield every row of the table, in its order."""
    yield from map(listed, MODELS)

"""Download the ImageNet weights of named models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from imgcls.core.engines.model import find_spec
from imgcls.core.errors import ModelError
from imgcls.core.tasks.models import catalogue


@dataclass(frozen=True)
class FetchedWeights:
    """What became of one model's weights.

    Attributes:
        name: of the model.
        path: the weights file; None where it could not be fetched.
        error: why not; None if it was.
    """

    name: str
    path: Path | None
    error: str | None = None


def fetch(names: str | Iterable[str]) -> Iterator[FetchedWeights]:
    """Download the ImageNet weights of models, unless they are here and undamaged.

    Args:
        names: of the models.

    Yields:
        What became of each, in order; one that fails ends nothing but itself.

    Raises:
        ModelError: there is no such model; nothing is fetched then.
        OutputError: there is no room for a file.

    Example:
        >>> import imgcls
        >>> [(model.name, model.error) for model in imgcls.fetch("efficientnet-lite0")]
        [('efficientnet-lite0', None)]
    """
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        find_spec(name)
    return map(_fetch, wanted)


def _fetch(name: str) -> FetchedWeights:
    try:
        return FetchedWeights(name, catalogue.fetch(name))
    except ModelError as error:
        return FetchedWeights(name, None, str(error))

"""Download the ImageNet weights of named models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from imgcls.core.errors import ModelError, WeightsError
from imgcls.core.models.download import fetch_weights, is_published
from imgcls.core.models.find_model import find_spec
from imgcls.core.models.spec import BundledWeights
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import how_to_get, weights_path
from imgcls.core.offline import is_offline


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
        return FetchedWeights(name, _fetched(name))
    except ModelError as error:
        return FetchedWeights(name, None, str(error))


def _fetched(name: str) -> Path:
    """Return a model's weights file, downloaded unless it is here and undamaged.

    Raises:
        WeightsError: it cannot be fetched, or the network is forbidden.
        OutputError: it cannot be written.
    """
    spec = MODELS[name]
    path = weights_path(spec)
    if path is None or isinstance(spec.weights, BundledWeights):
        if path is None or not path.is_file():
            raise WeightsError(how_to_get(name, spec.weights))
        return path
    if not is_published(path, spec.weights):
        if is_offline():
            raise WeightsError(how_to_get(name, spec.weights))
        fetch_weights(name, spec.weights, path)
    return path

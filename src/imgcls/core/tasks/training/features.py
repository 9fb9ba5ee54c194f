"""Features of the images to learn from: once through the engine, then from the cache."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.errors import ImageError
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
from imgcls.core.pixels.source import Source
from imgcls.core.progress import progress
from imgcls.core.tasks.features.computing import Wanted, compute_features


def read_again(source: Source, preprocessing: Preprocessing) -> Uint8Image:
    """Read an image that could be read when the folder was looked at; uint8 (size, size, 3).

    Raises:
        ImageError: it can no longer be read.
    """
    try:
        return load_image(source, preprocessing).pixels
    except ImageError as error:
        raise _changed(source, error) from error


def cached_features(
    model: Model, sources: Sequence[Source], digests: Sequence[str]
) -> Float32Array:
    """Return the features of images; only those of unknown content are computed.

    Args:
        model: whose engine gives the features.
        sources: the images.
        digests: SHA-256 of each image's file.

    Returns:
        float32 (n, d), in the order of the images.

    Raises:
        ImageError: an image cannot be read.
    """
    wanted = map(Wanted, sources, digests)
    computed = compute_features(model, model.preprocessing, wanted)
    rows: list[Float32Array] = []
    for one in progress(computed, "feature", len(sources)):
        if isinstance(one.features, ImageError):
            raise _changed(one.source, one.features) from one.features
        rows.append(one.features)
    return np.stack(rows)


def _changed(source: Source, error: ImageError) -> ImageError:
    return ImageError(f"{source.name}: changed since training began: {error}")

"""Features of images: once through the engine, then from the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.content_cache import open_content_cache
from imgcls.core.engines.model import Model, usable_cores
from imgcls.core.errors import ImageError
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
from imgcls.core.pixels.source import Source
from imgcls.core.progress import progress
from imgcls.core.version import __version__

_CHUNK = 128


def compute_features(model: Model, sources: Iterable[Source]) -> Iterator[Float32Array]:
    """Yield the features (d,) of each image, in order.

    Raises:
        ImageError: one of them cannot be read.
    """

    def work(chunk: list[Source]) -> list[Float32Array]:
        pixels = np.stack([read_again(source, model.preprocessing) for source in chunk])
        (features,) = model.engine.run(model.preprocessing.scale(pixels), ("features",))
        return list(features)  # (n, d) → n of (d,)

    return map_ordered(work, sources, workers=usable_cores(), chunk=model.engine.batch_size)


def read_again(source: Source, preprocessing: Preprocessing) -> Uint8Image:
    """Read an image that could be read when the folder was looked at; uint8 (size, size, 3).

    Raises:
        ImageError: it can no longer be read.
    """
    try:
        return load_image(source, preprocessing).pixels
    except ImageError as error:
        raise ImageError(f"{source.name}: changed since training began: {error}") from error


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
    rows = _rows(model, sources, digests)
    return np.stack(list(progress(rows, "features", len(sources))))


def _rows(
    model: Model, sources: Sequence[Source], digests: Sequence[str]
) -> Iterator[Float32Array]:
    with open_content_cache(_name(model)) as known_rows:
        for start in range(0, len(sources), _CHUNK):
            part = digests[start : start + _CHUNK]
            known = {key: np.frombuffer(row, "<f4") for key, row in known_rows.get(part).items()}
            missing = {
                digest: source
                for digest, source in zip(part, sources[start : start + _CHUNK], strict=True)
                if digest not in known
            }
            computed = compute_features(model, missing.values())
            fresh = dict(zip(missing, computed, strict=True))
            known_rows.put((digest, row.astype("<f4").tobytes()) for digest, row in fresh.items())
            known |= fresh
            yield from (known[digest] for digest in part)


def _name(model: Model) -> str:
    facts = (
        __version__,
        model.network.weights_id,
        model.network.spec,
        model.preprocessing,
        model.engine.name,
    )
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return f"features-{model.network.name}-{key}"

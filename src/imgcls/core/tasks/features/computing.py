"""Features of images: each from the cache, or through the engine once and then into it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.content_cache import ContentCache, open_content_cache
from imgcls.core.engines.model import Model, map_chunks
from imgcls.core.errors import ImageError, UsageError, as_image_error
from imgcls.core.pixels.images import fit_image
from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
from imgcls.core.pixels.source import Source
from imgcls.core.version import __version__


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image whose features are asked for.

    Attributes:
        source: the image.
        digest: SHA-256 of its file, where that is known already: then an image whose features
            are in the cache is not read.
    """

    source: Source
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Computed:
    """The features of an image.

    Attributes:
        source: the image.
        features: float32 (d,), or why the image has none.
        digest: SHA-256 of its file; "" if it could not be read.
        is_new: whether they were not in the cache.
    """

    source: Source
    features: Float32Array | ImageError
    digest: str
    is_new: bool


def compute_features(
    model: Model,
    preprocessing: Preprocessing,
    wanted: Iterable[Wanted],
    workers: int | None = None,
) -> Iterator[Computed]:
    """Yield the features of each image, in order; only those of unknown content are computed.

    Args:
        model: whose engine gives the features.
        preprocessing: how the images are fitted to it.
        wanted: the images, read lazily.
        workers: how many calls of the engine run at once; default: one a processor core.

    Raises:
        UsageError: the model is int8.
    """
    name = features_name(model, preprocessing)
    with open_content_cache(name) as cache:

        def work(chunk: list[Wanted]) -> list[Computed]:
            return _compute_chunk(model, preprocessing, cache, chunk)

        yield from cache.keeping(map_chunks(model, work, wanted, workers), _row)


def features_name(model: Model, preprocessing: Preprocessing) -> str:
    """Return a name for all that decides the features of an image, besides its content.

    Raises:
        UsageError: the model is int8, whose numbers depend on the photos it was calibrated on.
    """
    if model.precision != "float32":
        raise UsageError(
            f"{model.name}: features are float32; open the model without `precision` "
            f"{model.precision}"
        )
    facts = (
        __version__,
        model.network.weights_id,
        model.network.spec,
        preprocessing,
        model.engine.name,
    )
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return f"features-{model.network.name}-{key}"


def _compute_chunk(
    model: Model, preprocessing: Preprocessing, cache: ContentCache, chunk: list[Wanted]
) -> list[Computed]:
    read = [None if one.digest else _read(one.source) for one in chunk]
    digests = [
        one.digest or (_digest(content) if isinstance(content, bytes) else "")
        for one, content in zip(chunk, read, strict=True)
    ]
    known = cache.get([digest for digest in digests if digest])
    done: list[Computed | None] = []
    pixels: list[Uint8Image] = []
    names: list[str] = []  # of the contents that the pixels are of
    for one, content, digest in zip(chunk, read, digests, strict=True):
        if digest in known:
            features = np.frombuffer(known[digest], "<f4").astype(np.float32)
            done.append(Computed(one.source, features, digest, is_new=False))
            continue
        if content is None:
            content = _read(one.source)  # which may have changed since its digest was taken
            digest = _digest(content) if isinstance(content, bytes) else ""
        fitted = _fit(content, preprocessing)
        if isinstance(fitted, ImageError):
            done.append(Computed(one.source, fitted, digest, is_new=False))
        else:
            done.append(None)
            pixels.append(fitted)
            names.append(digest)
    rows = iter(zip(_run(model, preprocessing, pixels), names, strict=True))
    return [
        ready or _computed(one.source, *next(rows)) for one, ready in zip(chunk, done, strict=True)
    ]


def _row(one: Computed) -> tuple[str, bytes] | None:
    """Return what is kept of an image."""
    if not one.is_new or isinstance(one.features, ImageError):
        return None
    return one.digest, one.features.astype("<f4").tobytes()


def _run(
    model: Model, preprocessing: Preprocessing, pixels: list[Uint8Image]
) -> Iterable[Float32Array]:
    if not pixels:
        return []
    (features,) = model.engine.run(preprocessing.scale(np.stack(pixels)), ("features",))
    return features  # (n, d)


def _computed(source: Source, features: Float32Array, digest: str) -> Computed:
    if not np.isfinite(features).all():
        error = ImageError("its features are no finite numbers")
        return Computed(source, error, digest, is_new=False)
    return Computed(source, features, digest, is_new=True)


def _read(source: Source) -> bytes | ImageError:
    try:
        return source.read()
    except Exception as error:  # whatever keeps one image from being read is its alone
        return as_image_error(error)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fit(content: bytes | ImageError, preprocessing: Preprocessing) -> Uint8Image | ImageError:
    if isinstance(content, ImageError):
        return content
    try:
        return fit_image(content, preprocessing).pixels
    except Exception as error:  # as above
        return as_image_error(error)

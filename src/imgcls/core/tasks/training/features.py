"""Features of the images to learn from: once through the engine, then from the cache."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.errors import ImageError
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
from imgcls.core.pixels.source import Source
from imgcls.core.progress import progress
from imgcls.core.tasks.features.computing import Wanted, compute_features

log = logging.getLogger("imgcls")


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


@contextlib.contextmanager
def features_ahead(model: Model, sources: Iterable[Source]) -> Iterator[None]:
    """Compute features for the time of a block, in a thread, so that the cache has them later.

    Meanwhile the photos are looked at for duplicates. That is work for Python more than for the
    processor and leaves a core idle, which the network can use.

    Args:
        model: whose engine gives the features.
        sources: the images; what is left of them at the end is not begun.
    """
    ended = threading.Event()
    wanted = map(Wanted, itertools.takewhile(lambda _: not ended.is_set(), sources))

    def compute() -> None:
        try:
            for _ in compute_features(model, model.preprocessing, wanted):
                pass
        except Exception as error:  # it is met again where the features are needed
            log.debug("features were not computed ahead", exc_info=error)

    thread = threading.Thread(target=compute, name="imgcls-features")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _changed(source: Source, error: ImageError) -> ImageError:
    return ImageError(f"{source.name}: changed since training began: {error}")

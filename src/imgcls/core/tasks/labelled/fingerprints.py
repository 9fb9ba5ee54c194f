"""What tells images apart: the hash of the file, and a perceptual hash of the picture."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from imgcls.core.content_cache import ContentCache, open_content_cache
from imgcls.core.errors import as_image_error
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.source import Source
from imgcls.core.processor import usable_cores

if TYPE_CHECKING:
    from PIL import Image

# Copies that were resized or saved again differ in at most this many of the 64 bits; different
# photos in 12 and more, about 32.
NEAR_BITS = 6
_HASH_BITS = 64
# The hash is taken from 32×32 pixels, blur shows in about as many as a network is shown.
_SIDE = 256
_CHUNK = 8  # images that a worker takes at a time


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is remembered of an image.

    Attributes:
        digest: SHA-256 of the file in hexadecimal; empty if it could not be read at all.
        picture: 64-bit perceptual hash (DCT of the grey picture, median as threshold).
        width: in pixels, upright.
        height: in pixels, upright.
        error: why it is no image; empty if it is one.
        darkest: what a twentieth of the grey picture is darker than, 0 to 255.
        lightest: what a twentieth of it is lighter than.
        contrast: the deviation of its greys.
        sharpness: the deviation of its Laplacian in units of the contrast, at 256 pixels at most.
    """

    digest: str
    picture: int
    width: int
    height: int
    error: str
    darkest: float = 0.0
    lightest: float = 255.0
    contrast: float = 64.0
    sharpness: float = 1.0


def fingerprints(sources: Iterable[Source], workers: int | None = None) -> Iterator[Fingerprint]:
    """Yield the fingerprint of each image, in order; known content is not decoded again.

    Args:
        sources: the images, read lazily.
        workers: how many to look at at once; default: one a processor core.
    """
    with open_content_cache("fingerprints-4") as cache:

        def look(chunk: list[Source]) -> list[_Looked]:
            return [_look(cache, source) for source in chunk]

        looked = map_ordered(look, sources, workers=workers or usable_cores(), chunk=_CHUNK)
        for one in cache.keeping(looked, _row):
            yield one.fingerprint


class _Looked(NamedTuple):
    fingerprint: Fingerprint
    is_new: bool


def _look(cache: ContentCache, source: Source) -> _Looked:
    digest = ""
    try:
        content = source.read()
        digest = hashlib.sha256(content).hexdigest()
        if kept := cache.get([digest]):
            return _Looked(Fingerprint(**json.loads(kept[digest])), is_new=False)
        return _Looked(_take_fingerprint(content, digest), is_new=True)
    except Exception as error:  # whatever it is, it ends nothing but this image
        bad = Fingerprint(digest, 0, 0, 0, str(as_image_error(error)))
        return _Looked(bad, is_new=False)


def _row(one: _Looked) -> tuple[str, bytes] | None:
    """Return what is kept of an image."""
    if not one.is_new:
        return None
    return one.fingerprint.digest, json.dumps(asdict(one.fingerprint)).encode()


def _take_fingerprint(content: bytes, digest: str) -> Fingerprint:
    import imagehash

    upright = open_image(content, _least_size, grey=True)
    grey = upright.image.convert("L")
    grey = grey.reduce(_times_smaller(*grey.size))
    picture = int(str(imagehash.phash(grey)), 16)
    return Fingerprint(digest, picture, upright.width, upright.height, "", *_light(grey))


def _least_size(width: int, height: int) -> tuple[int, int]:
    times = _times_smaller(width, height)
    return max(1, width // times), max(1, height // times)


def _times_smaller(width: int, height: int) -> int:
    """Return by how much both sides are divided, so that the longer has `_SIDE` pixels or so."""
    return max(1, round(max(width, height) / _SIDE))


def _light(grey: Image.Image) -> tuple[float, float, float, float]:
    """Return darkest, lightest, contrast and sharpness of a grey picture."""
    counts = np.array(grey.histogram())
    darkest, lightest = _quantile(counts, 0.05), _quantile(counts, 0.95)
    greys = np.arange(len(counts))
    mean = np.average(greys, weights=counts)
    contrast = math.sqrt(np.average((greys - mean) ** 2, weights=counts))
    pixels = np.asarray(grey, np.float32)  # (h, w)
    if min(pixels.shape) < 3 or not contrast:
        return darkest, lightest, contrast, 1.0  # too small to be blurred
    laplacian = 4 * pixels[1:-1, 1:-1]
    for beside in (pixels[:-2, 1:-1], pixels[2:, 1:-1], pixels[1:-1, :-2], pixels[1:-1, 2:]):
        laplacian -= beside  # in place: a new array of this size takes as long as what is done
    spread = np.einsum("hw,hw->", laplacian, laplacian) / laplacian.size - laplacian.mean() ** 2
    return darkest, lightest, contrast, math.sqrt(max(0.0, spread)) / contrast


def _quantile(counts: npt.NDArray[np.int64], share: float) -> float:
    """Return what a share of values is below, as `np.quantile` does, by how often each occurs.

    A picture has 256 greys: to count them takes a tenth of the time that sorting takes.
    """
    before = np.cumsum(counts)
    place = share * (int(before[-1]) - 1)
    low, high = np.searchsorted(before, [math.floor(place), math.ceil(place)], side="right")
    return float(low + (high - low) * (place % 1))


def same_pictures(images: Sequence[Fingerprint]) -> list[list[int]]:
    """Group images that show the same picture, exactly or nearly.

    Two hashes of 64 bits that differ in at most b bits agree in one of b + 1 bands, so only
    those that share a band are compared.

    Args:
        images: their fingerprints.

    Returns:
        Positions in `images` of each group of two or more; unreadable images are in none.
    """
    by_picture: dict[int, list[int]] = {}
    for position, image in enumerate(images):
        if not image.error:
            by_picture.setdefault(image.picture, []).append(position)
    parent = {picture: picture for picture in by_picture}

    def root(picture: int) -> int:
        while parent[picture] != picture:
            parent[picture] = picture = parent[parent[picture]]
        return picture

    for band in _bands(by_picture):
        pictures = np.array(band, np.uint64)
        for position, picture in enumerate(band[:-1]):
            differing = np.bitwise_count(pictures[position + 1 :] ^ pictures[position])
            for later in np.flatnonzero(differing <= NEAR_BITS):
                parent[root(picture)] = root(band[position + 1 + later])
    groups: dict[int, list[int]] = {}
    for picture, positions in by_picture.items():
        groups.setdefault(root(picture), []).extend(positions)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def _bands(pictures: Iterable[int]) -> Iterator[list[int]]:
    """Yield the pictures that agree in one of the bands of their bits."""
    pictures = list(pictures)
    edges = [_HASH_BITS * band // (NEAR_BITS + 1) for band in range(NEAR_BITS + 2)]
    for low, high in pairwise(edges):
        mask = (1 << high) - (1 << low)
        shared: dict[int, list[int]] = {}
        for picture in pictures:
            shared.setdefault(picture & mask, []).append(picture)
        yield from shared.values()

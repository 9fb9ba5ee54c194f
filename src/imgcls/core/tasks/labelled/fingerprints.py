"""What tells images apart: the hash of the file, and a perceptual hash of the picture."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from imgcls.core.content_cache import open_content_cache
from imgcls.core.errors import as_image_error
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.source import Source
from imgcls.core.processor import usable_cores

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T")

# Copies that were resized or saved again differ in at most this many of the 64 bits; different
# photos in 12 and more, about 32.
NEAR_BITS = 6
_HASH_BITS = 64
# The hash is taken from 32×32 pixels, blur shows in about as many as a network is shown; a JPEG
# need not be decoded at more.
_DECODE_SIDE = 256
_CHUNK = 512


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
    workers = workers or usable_cores()
    with open_content_cache("fingerprints-3") as known_rows:
        for part in _batched(sources, _CHUNK):
            contents = map_ordered(_digests, part, workers=workers, chunk=16)
            digests = list(contents)
            known = known_rows.get([digest for digest, _ in digests])
            missing = [
                source
                for source, (digest, error) in zip(part, digests, strict=True)
                if not error and digest not in known
            ]
            made = list(map_ordered(_fingerprint, missing, workers=workers, chunk=8))
            known_rows.put(
                (one.digest, json.dumps(asdict(one)).encode()) for one in made if not one.error
            )
            looked_at = iter(made)
            for digest, error in digests:
                if error:
                    yield Fingerprint("", 0, 0, 0, error)
                elif digest in known:
                    yield Fingerprint(**json.loads(known[digest]))
                else:
                    yield next(looked_at)


def _batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    stream = iter(items)
    while part := list(islice(stream, size)):
        yield part


def _digests(sources: list[Source]) -> list[tuple[str, str]]:
    return [_digest(source) for source in sources]


def _digest(source: Source) -> tuple[str, str]:
    try:
        return hashlib.sha256(source.read()).hexdigest(), ""
    except Exception as error:  # whatever it is, it ends nothing but this image
        return "", str(as_image_error(error))


def _fingerprint(sources: list[Source]) -> list[Fingerprint]:
    return [_take_fingerprint(source) for source in sources]


def _take_fingerprint(source: Source) -> Fingerprint:
    import imagehash

    digest = ""
    try:
        content = source.read()
        digest = hashlib.sha256(content).hexdigest()
        upright = open_image(content, lambda *_: (_DECODE_SIDE, _DECODE_SIDE), grey=True)
        grey = upright.image.convert("L")
        grey = grey.reduce(max(1, round(max(grey.size) / _DECODE_SIDE)))
        picture = int(str(imagehash.phash(grey)), 16)
        light = _light(grey)
    except Exception as error:  # as above
        return Fingerprint(digest, 0, 0, 0, str(as_image_error(error)))
    return Fingerprint(digest, picture, upright.width, upright.height, "", *light)


def _light(grey: Image.Image) -> tuple[float, float, float, float]:
    """Return darkest, lightest, contrast and sharpness of a grey picture."""
    counts = np.array(grey.histogram())
    darkest, lightest = _quantile(counts, 0.05), _quantile(counts, 0.95)
    pixels = np.asarray(grey, np.float32)  # (h, w)
    contrast = float(pixels.std())
    if min(pixels.shape) < 3 or not contrast:
        return darkest, lightest, contrast, 1.0  # too small to be blurred
    inner = pixels[1:-1, 1:-1]
    beside = pixels[:-2, 1:-1] + pixels[2:, 1:-1] + pixels[1:-1, :-2] + pixels[1:-1, 2:]
    laplacian = 4 * inner - beside
    return darkest, lightest, contrast, float(laplacian.std()) / contrast


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

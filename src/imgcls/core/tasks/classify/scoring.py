"""Read images as a model wants them, and score them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.errors import ImageError, as_image_error
from imgcls.core.pixels.images import FittedImage, load_image
from imgcls.core.pixels.preprocessing import Interpolation, Preprocessing, Resize
from imgcls.core.pixels.sources import Source


def adapt(
    preprocessing: Preprocessing, resize: Resize | None, interpolation: Interpolation | None
) -> Preprocessing:
    """Return a model's preprocessing with what the user wants otherwise."""
    return preprocessing._replace(
        resize=resize or preprocessing.resize,
        interpolation=interpolation or preprocessing.interpolation,
    )


class Scored(NamedTuple):
    """One input and what the model made of it.

    Attributes:
        source: the input.
        image: it, as the network saw it, or why it could not be read.
        scores: softmax, float32 (classes,); None where it could not be read.
        familiarity: a p-value, 0 to 1; None where the model has none.
    """

    source: Source
    image: FittedImage | ImageError
    scores: Float32Array | None
    familiarity: float | None = None


def score_chunk(
    model: Model, preprocessing: Preprocessing, chunk: list[Source], view: int | None = None
) -> list[Scored]:
    """Read some images, then score them; for `map_ordered`.

    Args:
        model: what scores them.
        preprocessing: how they are made its input.
        chunk: the images.
        view: how many pixels a side of their `view` has at most; None for no such view.
    """
    loaded = [_load(source, preprocessing, view) for source in chunk]
    pixels = [image.pixels for image in loaded if isinstance(image, FittedImage)]
    # All at once, not image by image: the network drives everything else out of the processor's
    # caches, and what comes before and after it takes several times as long there.
    judged = iter(_judge(model, preprocessing.scale(np.stack(pixels))) if pixels else ())
    return [
        Scored(source, image, None)
        if isinstance(image, ImageError)
        else _scored(source, image, *next(judged))
        for source, image in zip(chunk, loaded, strict=True)
    ]


def check_finite(scores: Float32Array) -> None:
    """Refuse what is no answer, and no JSON either.

    Raises:
        ImageError: a score is NaN, as from weights so large that their sums are.
    """
    if not np.isfinite(scores).all():
        raise ImageError("the model's scores for it are no numbers; its weights are damaged")


def _judge(model: Model, batch: Float32Array) -> Iterable[tuple[Float32Array, float | None]]:
    scores, familiarity = model.judge(batch)
    values = [None] * len(scores) if familiarity is None else familiarity.tolist()
    return zip(scores, values, strict=True)


def _scored(
    source: Source, image: FittedImage, scores: Float32Array, familiarity: float | None
) -> Scored:
    try:
        check_finite(scores)
    except ImageError as error:
        return Scored(source, error, None)
    return Scored(source, image, scores, familiarity)


def _load(
    source: Source, preprocessing: Preprocessing, view: int | None
) -> FittedImage | ImageError:
    try:
        return load_image(source, preprocessing, view)
    except Exception as error:  # whatever a decoder raises is this image's alone
        return as_image_error(error)

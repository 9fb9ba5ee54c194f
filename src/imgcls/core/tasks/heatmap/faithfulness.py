"""How much a heatmap can be trusted: deletion and insertion (RISE, Petsiuk et al. 2018).

https://arxiv.org/abs/1806.07421: pixels are taken from an image, those that the map calls most
important first, and the score of the class is watched: the sooner it falls, the better the map
(a small area under the curve). Or they are put back into a blurred image, and the sooner the
score rises, the better (a large area).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.tasks.heatmap.upsample import upsample

# Pixels are taken away or put back in this many steps of as many pixels.
STEPS = 32


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Areas under the two curves, score over the part of the pixels, both 0 to 1.

    Attributes:
        deletion: small is good.
        insertion: large is good.
    """

    deletion: float
    insertion: float


def measure_faithfulness(
    scores_of: Callable[[Iterable[Float32Array]], Float32Array],
    image: Float32Array,
    grey: Float32Array,
    blurred: Float32Array,
    cam: Float32Array,
) -> Faithfulness:
    """Measure how well a CAM tells which pixels matter to a class.

    Args:
        scores_of: images like `image` → the softmax score (n,) of the class in each.
        image: (size, size, 3), preprocessed.
        grey: what deleted pixels become, (3,).
        blurred: what insertion starts from, (size, size, 3).
        cam: (h, w) over the whole image; equal pixels are taken from the top left on.
    """
    size = image.shape[0]
    order = np.argsort(-upsample(cam, size, size).ravel(), kind="stable")
    deleted = scores_of(_replaced(image, np.broadcast_to(grey, image.shape), order))
    inserted = scores_of(_replaced(blurred, image, order))
    return Faithfulness(_area(deleted), _area(inserted))


def _replaced(start: Float32Array, end: Float32Array, order: np.ndarray) -> Iterator[Float32Array]:
    """Yield one image that becomes another, pixel by pixel in the order given, in steps."""
    for step in range(STEPS + 1):
        image = start.copy()
        chosen = order[: len(order) * step // STEPS]
        image.reshape(-1, 3)[chosen] = end.reshape(-1, 3)[chosen]
        yield image


def _area(scores: Float32Array) -> float:
    """Return the area under a curve over 0 to 1, by the trapezoid rule."""
    return float((scores[:-1] + scores[1:]).mean() / 2)

"""Draw a CAM over its image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from imgcls.core.arrays import Float32Array
from imgcls.core.pixels.preprocessing import Box, Uint8Image
from imgcls.core.tasks.heatmap.colors import DEFAULT_ALPHA, DEFAULT_COLORMAP, colored
from imgcls.core.tasks.heatmap.methods import CAM_METHODS
from imgcls.core.tasks.heatmap.upsample import pixels_inside

if TYPE_CHECKING:
    from imgcls.core.tasks.heatmap.explanation import Explanation

# How much of the colour lies over the image: 0 to 1, the same everywhere; or as much as the
# evidence at each place is strong.
Alpha = float | Literal["evidence"]
EVIDENCE: Literal["evidence"] = "evidence"

# How much of the colour there is where the evidence is strongest. Single pixels hide little of the
# image, and are hard to see.
_STRONGEST, _STRONGEST_PIXELS = 0.7, 1.0


def overlay(
    image: Uint8Image,
    cam: Float32Array,
    seen: Box,
    *,
    alpha: Alpha = DEFAULT_ALPHA,
    colormap: str = DEFAULT_COLORMAP,
    strongest: float = _STRONGEST,
) -> Uint8Image:
    """Lay a coloured CAM over its image.

    Args:
        image: uint8 (height, width, 3).
        cam: float32 (height, width), 0 to 1; if it is 0 everywhere, nothing is coloured.
        seen: the part that is coloured; a pixel is in it if its centre is.
        alpha: how much of the colour is laid over the image, 0 to 1, or "evidence".
        colormap: a name of matplotlib's.
        strongest: how much of the colour there is for a CAM of 1 if `alpha` is "evidence".

    Returns:
        uint8 (height, width, 3).
    """
    drawn = image.copy()
    part = seen_part(seen, cam)
    if cam.any():
        under = Image.fromarray(np.ascontiguousarray(image[part]))
        over = Image.fromarray(colored(cam[part], colormap))
        if alpha == EVIDENCE:
            strength = np.rint(cam[part] * np.float32(255 * strongest)).astype(np.uint8)
            drawn[part] = np.asarray(Image.composite(over, under, Image.fromarray(strength)))
        else:
            drawn[part] = np.asarray(Image.blend(under, over, alpha))
    return drawn


def draw_overlay(
    explanation: Explanation, *, alpha: Alpha | None = None, colormap: str = DEFAULT_COLORMAP
) -> Image.Image:
    """Draw an explanation's CAM over its image, in the image's size.

    Without an `alpha` it is 0.4 as in tutorials; for methods that look at single pixels, most
    of which show no evidence and would all be veiled by the colour of none, "evidence".
    """
    e, areas = explanation, CAM_METHODS[explanation.method].makes_areas
    if alpha is None:
        alpha = DEFAULT_ALPHA if areas else EVIDENCE
    most = _STRONGEST if areas else _STRONGEST_PIXELS
    drawn = overlay(e.image, e.cam, e.seen, alpha=alpha, colormap=colormap, strongest=most)
    return Image.fromarray(drawn)


def seen_part(seen: Box, cam: Float32Array) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels whose centres lie in what the model saw."""
    height, width = cam.shape
    return pixels_inside(seen.top, seen.bottom, height), pixels_inside(seen.left, seen.right, width)

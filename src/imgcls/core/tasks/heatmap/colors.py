"""Colour maps: a CAM's numbers as colours."""

from __future__ import annotations

from functools import cache

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import Uint8Image

DEFAULT_COLORMAP = "jet"
DEFAULT_ALPHA = 0.4

# The corners of matplotlib's jet, so that the default needs no matplotlib, which takes longer
# to import than everything else to run.
_JET_RED = ((0, 0.35, 0.66, 0.89, 1), (0, 0, 1, 1, 0.5))
_JET_GREEN = ((0, 0.125, 0.375, 0.64, 0.91, 1), (0, 0, 1, 1, 0, 0))
_JET_BLUE = ((0, 0.11, 0.34, 0.65, 1), (0.5, 1, 1, 0, 0))
_COLORS = 256


@cache
def color_table(name: str) -> Uint8Image:
    """Return a matplotlib colour map as a table, uint8 (256, 3) RGB.

    Raises:
        UsageError: matplotlib has no such map.
    """
    if name == DEFAULT_COLORMAP:
        at = np.linspace(0, 1, _COLORS)
        corners = (_JET_RED, _JET_GREEN, _JET_BLUE)
        table = np.stack([np.interp(at, *channel) for channel in corners], axis=-1)
        return (table * 255).astype(np.uint8)
    import matplotlib

    if name not in matplotlib.colormaps:
        import difflib

        near = difflib.get_close_matches(name, list(matplotlib.colormaps), n=3, cutoff=0)
        raise UsageError(f"{name}: no such colour map; did you mean {' or '.join(near)}?")
    colormap = matplotlib.colormaps[name]
    return colormap(np.linspace(0, 1, _COLORS), bytes=True)[:, :3]


def colored(cam: Float32Array, colormap: str = DEFAULT_COLORMAP) -> Uint8Image:
    """Colour a CAM (h, w); return uint8 (h, w, 3) RGB."""
    colors = np.rint(cam * np.float32(_COLORS - 1)).astype(np.uint8)
    drawn: Uint8Image = color_table(colormap).take(colors, axis=0)
    return drawn

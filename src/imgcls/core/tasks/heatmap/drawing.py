"""Draw a CAM: in colour, over its image, or as a panel of the three."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import Box, Uint8Image
from imgcls.core.tasks.heatmap.upsample import pixels_inside

if TYPE_CHECKING:
    from imgcls.core.tasks.heatmap.explanation import Explanation

DEFAULT_COLORMAP = "jet"
DEFAULT_ALPHA = 0.4

# The corners of matplotlib's jet, so that the default needs no matplotlib, which takes longer
# to import than everything else to run.
_JET_RED = ((0, 0.35, 0.66, 0.89, 1), (0, 0, 1, 1, 0.5))
_JET_GREEN = ((0, 0.125, 0.375, 0.64, 0.91, 1), (0, 0, 1, 1, 0, 0))
_JET_BLUE = ((0, 0.11, 0.34, 0.65, 1), (0.5, 1, 1, 0, 0))
_COLORS = 256

# The longer side of a panel's pictures is brought between these, in pixels.
_PANEL_SIDES = (320, 640)
_MARGIN = 12
_TEXT_PART = 18  # of the pictures' longer side is the height of the text
_UNSEEN = 235  # the grey of what the model did not see, in a panel's heatmap


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


def overlay(
    image: Uint8Image,
    cam: Float32Array,
    seen: Box,
    *,
    alpha: float = DEFAULT_ALPHA,
    colormap: str = DEFAULT_COLORMAP,
) -> Uint8Image:
    """Lay a coloured CAM over its image.

    Args:
        image: uint8 (height, width, 3).
        cam: float32 (height, width), 0 to 1; if it is 0 everywhere, nothing is coloured.
        seen: the part that is coloured; a pixel is in it if its centre is.
        alpha: how much of the colour is laid over the image, 0 to 1.
        colormap: a name of matplotlib's.

    Returns:
        uint8 (height, width, 3).
    """
    drawn = image.copy()
    part = _slices(seen, cam)
    if cam.any():
        under = Image.fromarray(np.ascontiguousarray(image[part]))
        over = Image.fromarray(colored(cam[part], colormap))
        drawn[part] = np.asarray(Image.blend(under, over, alpha))
    return drawn


def draw_overlay(
    explanation: Explanation, *, alpha: float = DEFAULT_ALPHA, colormap: str = DEFAULT_COLORMAP
) -> Image.Image:
    """Draw an explanation's CAM over its image, in the image's size."""
    e = explanation
    return Image.fromarray(overlay(e.image, e.cam, e.seen, alpha=alpha, colormap=colormap))


def draw_panel(
    explanation: Explanation, *, alpha: float = DEFAULT_ALPHA, colormap: str = DEFAULT_COLORMAP
) -> Image.Image:
    """Draw image, heatmap and overlay side by side, with the label and its score above.

    The pictures are brought to 320 to 640 pixels, so that the text can be read beside them.
    """
    heatmap = np.full_like(explanation.image, _UNSEEN)
    if explanation.has_evidence:
        part = _slices(explanation.seen, explanation.cam)
        heatmap[part] = colored(explanation.cam[part], colormap)
    pictures = [
        Image.fromarray(explanation.image),
        Image.fromarray(heatmap),
        draw_overlay(explanation, alpha=alpha, colormap=colormap),
    ]
    width, height = _panel_size(*pictures[0].size)
    text_height = max(width, height) // _TEXT_PART
    top = 2 * _MARGIN + text_height * 5 // 2
    size = (3 * width + 4 * _MARGIN, top + height + _MARGIN)
    panel = Image.new("RGB", size, "white")
    _write_caption(ImageDraw.Draw(panel), explanation, size[0] - 2 * _MARGIN, text_height)
    for position, picture in enumerate(pictures):
        place = (_MARGIN + position * (width + _MARGIN), top)
        panel.paste(picture.resize((width, height), Image.Resampling.LANCZOS), place)
    return panel


def _panel_size(width: int, height: int) -> tuple[int, int]:
    least, most = _PANEL_SIDES
    longer = max(width, height)
    scale = min(max(longer, least), most) / longer
    return max(1, round(width * scale)), max(1, round(height * scale))


def _write_caption(draw: ImageDraw.ImageDraw, e: Explanation, width: int, height: int) -> None:
    said = f"{e.prediction.label}  {e.prediction.score:.2%}"
    if e.versus is not None:
        said += f"  against  {e.versus.label}  {e.versus.score:.2%}"
    how = f"{e.model}, {e.method}, {e.layer}" + ("" if e.has_evidence else ": no evidence")
    line_heights = (round(height * 1.2), round(height * 0.8))
    at = _MARGIN
    for text, size, ink in zip((said, how), line_heights, ("black", "#555555"), strict=True):
        draw.text((_MARGIN, at), text, ink, _fitting_font(text, size, width))
        at += size + height // 3


def _fitting_font(text: str, size: int, width: int) -> ImageFont.FreeTypeFont:
    """Return the font at a size at which the text is not wider than `width`, if any is."""
    font = _font(size)
    fitting = int(size * min(1.0, width / max(1.0, font.getlength(text))))
    return font if fitting == size else _font(max(8, fitting))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Load DejaVu Sans, which comes with matplotlib; its place is found without importing it."""
    matplotlib = importlib.util.find_spec("matplotlib")
    folder = Path((matplotlib and matplotlib.origin) or "").parent
    return ImageFont.truetype(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _slices(box: Box, cam: Float32Array) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels whose centres lie in a box."""
    height, width = cam.shape
    return pixels_inside(box.top, box.bottom, height), pixels_inside(box.left, box.right, width)

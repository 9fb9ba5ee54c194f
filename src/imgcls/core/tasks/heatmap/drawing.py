"""Draw a CAM: in colour, over its image, or as a panel of the three."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from imgcls.core.arrays import Float32Array
from imgcls.core.fonts import draw_line
from imgcls.core.pixels.preprocessing import Box, Uint8Image
from imgcls.core.tasks.heatmap.colors import DEFAULT_ALPHA, DEFAULT_COLORMAP, colored
from imgcls.core.tasks.heatmap.upsample import pixels_inside

if TYPE_CHECKING:
    from imgcls.core.tasks.heatmap.explanation import Explanation

# The longer side of a panel's pictures is brought between these, in pixels.
_PANEL_SIDES = (320, 640)
_MARGIN = 12
_TEXT_PART = 18  # of the pictures' longer side is the height of the text
_UNSEEN = 235  # the grey of what the model did not see, in a panel's heatmap


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
    what = f"{e.prediction.label}  {e.prediction.score:.2%}"
    if e.versus is not None:
        what += f"  against  {e.versus.label}  {e.versus.score:.2%}"
    how = f"{e.model}, {e.method}, {e.layer}" + ("" if e.has_evidence else ": no evidence")
    line_heights = (round(height * 1.2), round(height * 0.8))
    at = _MARGIN
    for text, size, ink in zip((what, how), line_heights, ("black", "#555555"), strict=True):
        # The number of the class comes first: what codes leave of its name tells little.
        number = f"{e.class_index}: {text}" if text is what else ""
        draw_line(
            draw, text, at=(_MARGIN, at), ink=ink, size=size, width=width, without_font=number
        )
        at += size + height // 3


def _slices(box: Box, cam: Float32Array) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels whose centres lie in a box."""
    height, width = cam.shape
    return pixels_inside(box.top, box.bottom, height), pixels_inside(box.left, box.right, width)

"""Draw a panel: image, heatmap and overlay side by side, with words and a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from imgcls.core.fonts import draw_line, load_font
from imgcls.core.pixels.preprocessing import Uint8Image
from imgcls.core.tasks.heatmap.colors import DEFAULT_COLORMAP, color_table, colored
from imgcls.core.tasks.heatmap.drawing import EVIDENCE, Alpha, draw_overlay, seen_part
from imgcls.core.tasks.heatmap.methods import CAM_METHODS

if TYPE_CHECKING:
    from imgcls.core.tasks.heatmap.explanation import Explanation
    from imgcls.core.tasks.heatmap.options import DrawOptions

# On the screen a panel is as wide as three of its image, but no less and no more, in pixels.
_SCREEN_WIDTHS = (1080, 1920)
PRINT_WIDTH = 7  # inches: a page's text from edge to edge
# Parts of the panel's width. In print the title is 10 points high and the rest 7.
_TITLE, _TEXT, _MARGIN = 1 / 50, 1 / 72, 1 / 110
_TALLEST = 1.5  # pictures, as a multiple of their column's width
_UNSEEN = 235  # the grey of what the model did not see, in the heatmap
_INK, _PALE, _FRAME = "#171c26", "#555b66", ("#171c26", "white")


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels.

    Attributes:
        width: of the panel.
        margin: around and between the columns.
        column: width of a column.
        picture: width and height of its picture.
        title: height of the title's letters.
        text: height of all other letters.
    """

    width: int
    margin: int
    column: int
    picture: tuple[int, int]
    title: int
    text: int

    @property
    def top(self) -> int:
        """Where the pictures begin."""
        return self.margin + round(1.35 * self.title + 1.5 * self.text) + self.margin

    @property
    def caption(self) -> int:
        """Where the words below the pictures begin."""
        return self.top + self.picture[1] + round(0.5 * self.text)

    @property
    def height(self) -> int:
        """The panel's height."""
        return self.top + self.picture[1] + round(2 * self.text) + self.margin

    def left(self, position: int) -> int:
        """Where a column begins."""
        return self.margin + position * (self.column + self.margin)


def draw_panel(
    explanation: Explanation,
    *,
    alpha: Alpha | None = None,
    colormap: str = DEFAULT_COLORMAP,
    dpi: int | None = None,
) -> Image.Image:
    """Draw image, heatmap and overlay side by side, with the label and its score above.

    A thin frame is around what the model saw, where that is not all of the image.

    Args:
        explanation: what is drawn.
        alpha: how much of the colour lies over the image, 0 to 1; default: "evidence", as much
            as the evidence at each place is strong.
        colormap: a name of matplotlib's.
        dpi: dots an inch of a panel for print, 7 inches (18 cm) wide; default: a panel for the
            screen, 1080 to 1920 pixels wide.

    Returns:
        An RGB picture; with `dpi` its `info` has it, too.
    """
    e = explanation
    height, width = e.cam.shape
    layout = _layout(width, height, dpi)
    alpha = EVIDENCE if alpha is None else alpha
    over = draw_overlay(e, alpha=alpha, colormap=colormap)
    pictures = [Image.fromarray(e.image), Image.fromarray(_heatmap(e, colormap)), over]
    panel = Image.new("RGB", (layout.width, layout.height), "white")
    if dpi is not None:
        panel.info["dpi"] = (dpi, dpi)
    draw = ImageDraw.Draw(panel)
    _write_title(draw, e, layout)
    for position, picture in enumerate(pictures):
        left = layout.left(position) + (layout.column - layout.picture[0]) // 2
        panel.paste(picture.resize(layout.picture, Image.Resampling.LANCZOS), (left, layout.top))
        if position != 1 and not _sees_all(e):
            _draw_frame(draw, e, layout, left)
    if not _sees_all(e):
        _write_caption(draw, "The frame is what the model saw.", 0, layout)
    if e.has_evidence:
        _draw_scale(panel, draw, layout, colormap)
        if alpha == EVIDENCE:
            _write_caption(draw, "The colour is as strong as the evidence.", 2, layout)
    return panel


def draw(explanation: Explanation, how: DrawOptions) -> Image.Image:
    """Draw an explanation as the options say: a panel, or the overlay alone."""
    if how.panel:
        return draw_panel(explanation, alpha=how.alpha, colormap=how.colormap, dpi=how.dpi)
    return draw_overlay(explanation, alpha=how.alpha, colormap=how.colormap)


def _layout(width: int, height: int, dpi: int | None) -> _Layout:
    """Lay out a panel of an image of this size."""
    least, most = _SCREEN_WIDTHS
    whole = PRINT_WIDTH * dpi if dpi else min(max(3 * width, least), most)
    margin = round(_MARGIN * whole)
    column = (whole - 4 * margin) // 3
    scale = min(column / width, _TALLEST * column / height)
    picture = max(1, round(scale * width)), max(1, round(scale * height))
    return _Layout(whole, margin, column, picture, round(_TITLE * whole), round(_TEXT * whole))


def _heatmap(e: Explanation, colormap: str) -> Uint8Image:
    drawn = np.full_like(e.image, _UNSEEN)
    if e.has_evidence:
        part = seen_part(e.seen, e.cam)
        drawn[part] = colored(e.cam[part], colormap)
    return drawn


def _sees_all(e: Explanation) -> bool:
    height, width = e.cam.shape
    s = e.seen
    return (s.left, s.top, s.right, s.bottom) == (0, 0, width, height)


def _draw_frame(draw: ImageDraw.ImageDraw, e: Explanation, layout: _Layout, left: int) -> None:
    """Draw a white line and a dark one around it, so that one of them shows on any image."""
    scale = layout.picture[1] / e.cam.shape[0]
    line = max(1, layout.width // 1000)
    for ink, out in zip(_FRAME, (line, 0), strict=True):
        box = (
            max(left, left + round(e.seen.left * scale) - out),
            max(layout.top, layout.top + round(e.seen.top * scale) - out),
            min(left + layout.picture[0], left + round(e.seen.right * scale) + out) - 1,
            min(layout.top + layout.picture[1], layout.top + round(e.seen.bottom * scale) + out)
            - 1,
        )
        draw.rectangle(box, outline=ink, width=line)


def _write_title(draw: ImageDraw.ImageDraw, e: Explanation, layout: _Layout) -> None:
    method = CAM_METHODS[e.method]
    if method.knows_class:
        title = f"{e.prediction.label}  {e.prediction.score:.2%}"
        if e.versus is not None:
            title += f"  against  {e.versus.label}  {e.versus.score:.2%}"
        parts = [e.model, method.title]
    else:
        title, parts = f"{method.title}: the same for every class", [e.model]
    if method.reads_layer:
        parts.append(e.layer)
    below = ", ".join(parts) + ("" if e.has_evidence else ": no evidence")
    at, width = layout.margin, layout.width - 2 * layout.margin
    # The number of the class comes first: what codes leave of its name tells little.
    number = f"{e.class_index}: {title}"
    size = layout.title
    draw_line(draw, title, at=(at, at), ink=_INK, size=size, width=width, without_font=number)
    at_below = (at, at + round(1.35 * layout.title))
    draw_line(draw, below, at=at_below, ink=_PALE, size=layout.text, width=width)


def _write_caption(draw: ImageDraw.ImageDraw, text: str, position: int, layout: _Layout) -> None:
    middle = layout.left(position) + layout.column // 2
    font = load_font(None, layout.text)
    draw.text((middle, layout.caption), text, _PALE, font, anchor="ma")


def _draw_scale(
    panel: Image.Image, draw: ImageDraw.ImageDraw, layout: _Layout, colormap: str
) -> None:
    """Say below the heatmap what its colours are."""
    space = 3 * layout.text  # for the word on each side
    left, right = layout.left(1), layout.left(1) + layout.column
    bar = Image.fromarray(color_table(colormap)[np.newaxis])
    size = (layout.column - 2 * space, round(0.9 * layout.text))
    panel.paste(bar.resize(size), (left + space, layout.caption + layout.text // 10))
    font, between = load_font(None, layout.text), layout.text // 2
    draw.text((left + space - between, layout.caption), "none", _PALE, font, anchor="ra")
    draw.text((right - space + between, layout.caption), "most", _PALE, font)

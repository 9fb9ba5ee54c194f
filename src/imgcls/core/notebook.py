"""What results show of themselves in a notebook: tables and small pictures, escaped.

A notebook asks an object for `_repr_html_`. Names and labels come from strangers, so nothing
goes into the HTML but by `escaped`.
"""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from imgcls.core.errors import ImageError
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.source import Source

if TYPE_CHECKING:
    from PIL import Image

PICTURE_SIDE = 224  # pixels
_JPEG_QUALITY = 80
_BAR = "rgba(33,113,181,.35)"  # on light and dark pages alike


def escaped(value: object) -> str:
    r"""Return a value as text for HTML; what has no shape, as a control character, as `\x1b`."""
    shown = (c if c.isprintable() else ascii(c)[1:-1] for c in str(value))
    return html.escape("".join(shown))


def table(
    headings: Sequence[object], rows: Iterable[Sequence[object]], *, shades: bool = False
) -> str:
    """Return a table; numbers stand at the right.

    Args:
        headings: of the columns.
        rows: of values, which are escaped; a float is a share of 0 to 1 and shown in percent.
        shades: whether a float has a bar behind it.
    """
    top = "".join(f"<th>{escaped(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(_cell(value, shades) for value in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object, shades: bool) -> str:
    if isinstance(value, float):
        bar = ""
        if shades:
            end = f"{min(max(value, 0.0), 1.0):.1%}"
            bar = f";background:linear-gradient(to right,{_BAR} {end},transparent {end})"
        return f'<td style="text-align:right{bar}">{value:.2%}</td>'
    align = ' style="text-align:right"' if isinstance(value, int) else ' style="text-align:left"'
    return f"<td{align}>{escaped(value)}</td>"


def heading(text: str) -> str:
    """Return a line of text above others."""
    return f"<p><b>{escaped(text)}</b></p>"


def paragraph(text: str) -> str:
    """Return a line of text."""
    return f"<p>{escaped(text)}</p>"


def shown_up_to(most: int, count: int) -> str:
    """Say that a table has fewer rows than there are; empty if it has all."""
    return paragraph(f"… and {count - most} more") if count > most else ""


def picture(image: Image.Image) -> str:
    """Return an image, made to fit `PICTURE_SIDE`."""
    from PIL import Image

    small = image.copy()
    small.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BILINEAR)
    encoded = io.BytesIO()
    small.convert("RGB").save(encoded, "JPEG", quality=_JPEG_QUALITY)
    data = base64.b64encode(encoded.getvalue()).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{data}" width="{small.width}">'


def picture_of(path: str) -> str:
    """Return the picture of an image file; empty if it is no file, or not one any more.

    Nothing is fetched, and no pipe is waited for.
    """
    if not os.path.isfile(path):
        return ""
    try:
        return picture(open_image(Source(path).read(), _least_size).image)
    except ImageError:  # a record that was right when it was made is still shown
        return ""


def png(image: Image.Image) -> bytes:
    """Return an image as PNG, as `_repr_png_` does."""
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    return encoded.getvalue()


def _least_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, PICTURE_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))

"""A record in a notebook: its picture beside what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgcls.core.notebook import heading, paragraph, picture, picture_of, table
from imgcls.core.words import unknown

if TYPE_CHECKING:
    from imgcls.core.tasks.classify.classify import Record

_MOST_ROWS = 20


def record_html(record: Record) -> str:
    """Return a record as HTML.

    The picture is what the network saw, if the record carries it; else the file, if it is there.
    """
    title = heading(record.path)
    if record.error is not None:
        return title + paragraph(f"error: {record.error}")
    if record.status == "unknown" and record.predictions:
        best = record.predictions[0]
        title += paragraph(unknown(best.label, best.score))
    rows = ((one.label, one.score, one.class_id) for one in record.predictions[:_MOST_ROWS])
    answer = table(("label", "score", "class"), rows, shades=True)
    side = f'<div style="display:flex;gap:1em;align-items:flex-start">{_picture(record)}'
    return f"{title}{side}<div>{answer}</div></div>"


def _picture(record: Record) -> str:
    if record.pixels is None:
        return picture_of(record.path)
    from PIL import Image

    return picture(Image.fromarray(record.pixels))

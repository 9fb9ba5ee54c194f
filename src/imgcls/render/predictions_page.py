"""Records of `predict` → one HTML page: thumbnails, labels, score bars, failed files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imgcls.render.page import by_count, is_page_of, template, thumbnail
from imgcls.render.safe import readable
from imgcls.render.style import PLAIN, Style

if TYPE_CHECKING:
    from jinja2 import Template

    from imgcls.core.tasks.classify.classify import Record

# Beyond these the page counts and no longer shows.
MOST_IMAGES = 2000
MOST_FAILED = 500

_MOST_ROWS = 5
_THUMBNAIL = 160  # pixels


def html(records: Iterable[Record], top: int, style: Style = PLAIN) -> Iterator[str]:
    """Yield one self-contained page.

    The records' `pixels` become thumbnails. The cards wait until all are counted, so that the
    page can begin with the totals: 20 MB for the most images that are shown.

    Args:
        records: read lazily, with their pixels.
        top: as `--top`; at most five classes are shown for an image.
        style: not used.
    """
    from markupsafe import Markup

    card = template("card.html")
    labels: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    model = ""
    cards: list[str] = []
    for record in records:
        model = record.model
        totals[record.status] += 1
        group = "failed" if record.status == "error" else "images"
        if shown[group] < (MOST_FAILED if group == "failed" else MOST_IMAGES):
            shown[group] += 1
            if record.predictions:
                labels[readable(record.predictions[0].label)] += 1
            cards.append(_card(card, record, sum(shown.values())))
    yield from template("predictions.html").generate(
        model=model,
        totals=totals,
        shown=shown,
        labels=by_count(labels),
        cards=map(Markup, cards),
    )


def is_own(start: bytes) -> bool:
    """Whether a file's first bytes are an earlier page's."""
    return is_page_of("predict", start)


def _card(card: Template, record: Record, position: int) -> str:
    picture = None
    if record.pixels is not None:
        from PIL import Image

        picture = thumbnail(Image.fromarray(record.pixels), _THUMBNAIL)
    return card.render(
        record=record,
        predictions=record.predictions[:_MOST_ROWS],
        picture=picture,
        side=_THUMBNAIL,
        position=position,
    )

"""Records of `predict` → one HTML page: thumbnails, labels, score bars, failed files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from imgcls.core.page import (
    by_count,
    data_address,
    folder_and_name,
    is_page_of,
    template,
    thumbnail,
)
from imgcls.core.safe import readable
from imgcls.render.style import PLAIN, Style

if TYPE_CHECKING:
    from jinja2 import Template

    from imgcls.core.tasks.classify.classify import Record

# Beyond these the page counts and no longer shows, by status: what is to be looked at is there
# wherever in a long run it came.
MOST = {"error": 1_000, "unknown": 2_000, "ok": 10_000}
# Beyond these bytes of thumbnails it has no more of them: with all cards the page is 50 MB then.
MOST_BYTES = 36_000_000

_MOST_ROWS = 5
_THUMBNAIL = 320  # pixels
_CARDS_AT_ONCE = 120  # fill rows of 2, 3, 4, 5 and 6
# What is to be looked at comes first.
_ORDER = {"error": 0, "unknown": 1, "ok": 2}


class _Page:
    """What a page is made of, as the records come.

    Attributes:
        model: the model's name.
        totals: records by status.
        shown: records that have a card, by status.
        pictured: images that have a thumbnail.
        labels: the best labels of the images that have a card.
    """

    def __init__(self, keep: Callable[[bytes], str] | None) -> None:
        """Begin without a card.

        Args:
            keep: takes a thumbnail, a JPEG file, and returns the address that the page names;
                None where the page itself is to have it.
        """
        self.model = ""
        self.totals: Counter[str] = Counter()
        self.shown: Counter[str] = Counter()
        self.pictured = 0
        self.labels: Counter[str] = Counter()
        self._keep = keep
        self._bytes = 0
        self._card: Template = template("card.html")
        self._cards: list[tuple[int, str]] = []

    def add(self, record: Record) -> None:
        """Count a record, and make its card while there is room."""
        self.model = record.model
        self.totals[record.status] += 1
        if self.shown[record.status] >= MOST[record.status]:
            return
        self.shown[record.status] += 1
        if record.predictions:
            self.labels[readable(record.predictions[0].label)] += 1
        card = self._card.render(
            record=record,
            predictions=record.predictions[:_MOST_ROWS],
            parts=folder_and_name(record.path),
            picture=self._picture(record),
            side=_THUMBNAIL,
            position=sum(self.shown.values()),
        )
        self._cards.append((_ORDER[record.status], card))

    def cards(self) -> list[str]:
        """Return the cards, the failed ones first, then the unknown."""
        return [card for _, card in sorted(self._cards, key=lambda item: item[0])]

    def _picture(self, record: Record) -> str | None:
        seen = record.pixels if record.view is None else record.view
        if seen is None or self._bytes >= MOST_BYTES:
            return None
        from PIL import Image

        jpeg = thumbnail(Image.fromarray(seen), _THUMBNAIL)
        self.pictured += 1
        if self._keep is not None:
            return self._keep(jpeg)
        address = data_address(jpeg)
        self._bytes += len(address)
        return address


def html(
    records: Iterable[Record],
    top: int,
    style: Style = PLAIN,
    *,
    keep: Callable[[bytes], str] | None = None,
) -> Iterator[str]:
    """Yield one page, self-contained unless `keep` puts its thumbnails elsewhere.

    The records' `view` becomes a thumbnail, or their `pixels`. The cards wait until all are
    counted, so that the page can begin with the totals and with what failed: 80 MB for the most
    that a page has.

    Args:
        records: read lazily, with what the thumbnails are made of.
        top: as `--top`; at most five classes are shown for an image.
        style: not used.
        keep: takes a thumbnail, a JPEG file, and returns its address as seen from the page.
    """
    from markupsafe import Markup

    page = _Page(keep)
    for record in records:
        page.add(record)
    yield from template("predictions.html").generate(
        it=page,
        labels=by_count(page.labels),
        cards=map(Markup, page.cards()),
        at_once=_CARDS_AT_ONCE,
        in_files=keep is not None,
    )


def is_own(start: bytes) -> bool:
    """Whether a file's first bytes are an earlier page's."""
    return is_page_of("predict", start)

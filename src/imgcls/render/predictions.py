"""Records of `predict` → text, JSON, JSON Lines, CSV, Parquet or HTML: a row per format."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

from imgcls.core.csv_text import csv_line
from imgcls.core.errors import UsageError
from imgcls.core.rounding import rounded
from imgcls.core.safe import printable
from imgcls.core.words import unknown
from imgcls.render import earlier, parquet
from imgcls.render.style import PLAIN, Painted, Style, padded

if TYPE_CHECKING:
    from imgcls.core.tasks.classify.classify import Record

CSV_HEADER = parquet.COLUMNS
# A card of the page is 200 to 250 pixels wide, on most screens and phones of finer ones.
_VIEW = 320


def as_json(record: Record) -> dict[str, Any]:
    """Return a record as JSON has it, keys in the order of the contract."""
    known = record.familiarity is not None
    return {
        "path": record.path,
        "status": record.status,
        "model": record.model,
        "width": record.width,
        "height": record.height,
        **({"familiarity": rounded(record.familiarity or 0.0)} if known else {}),
        "predictions": [
            {
                "rank": prediction.rank,
                "class_id": prediction.class_id,
                "label": prediction.label,
                "score": rounded(prediction.score),
            }
            for prediction in record.predictions
        ],
        "error": record.error,
    }


def jsonl(records: Iterable[Record], top: int, style: Style = PLAIN) -> Iterator[str]:
    """Yield a JSON object a line."""
    for record in records:
        # ASCII only: a path that is not valid UTF-8 round-trips as lone surrogates.
        yield json.dumps(as_json(record)) + "\n"


def json_array(records: Iterable[Record], top: int, style: Style = PLAIN) -> Iterator[str]:
    """Yield one JSON array, an object a line."""
    before = "[\n"
    for record in records:
        yield before + json.dumps(as_json(record))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def csv_rows(records: Iterable[Record], top: int, style: Style = PLAIN) -> Iterator[str]:
    """Yield a row a prediction, or one for a failed input."""
    clean = printable if style.bars else str  # on a terminal no name may move the cursor
    for record in records:
        start = (clean(record.path), record.status)
        yield "".join(
            csv_line((*start, one.rank, clean(one.class_id), clean(one.label), one.score, None))
            for one in record.predictions
        ) or csv_line((*start, None, None, None, None, clean(record.error or "")))


def text(records: Iterable[Record], top: int, style: Style = PLAIN) -> Iterator[Painted]:
    """Yield a block an image for people, or one line with `top` 1."""
    for record in records:
        path = style.paint(printable(record.path), "strong")
        if record.status == "error":
            shown = f"{path}: {style.paint('error', 'bad')}: {printable(record.error or '')}"
        elif top == 1:
            best = record.predictions[0]
            answer = f"{style.paint(printable(best.label), 'good')} ({best.score:.2%})"
            shown = f"{path}: {_nearest(record, style) or answer}"
        else:
            nearest = _nearest(record, style)
            head = f"{path}: {nearest}" if nearest else path
            shown = "\n".join((head, *_text_rows(record, style)))
        yield Painted(f"{shown}\n")


def _nearest(record: Record, style: Style) -> str:
    """Return what is said of an unknown image; "" for another."""
    if record.status != "unknown":
        return ""
    best = record.predictions[0]
    return unknown(printable(best.label), best.score, style.paint("unknown", "doubtful"))


def _text_rows(record: Record, style: Style) -> Iterator[str]:
    labels = padded(printable(prediction.label) for prediction in record.predictions)
    for one, label in zip(record.predictions, labels, strict=True):
        if one.rank == 1 and record.status == "ok":
            label = style.paint(label, "good")
        score = f"{style.bar(one.score)}{one.score:>7.2%}"
        # One's own class has no id but its label.
        own = one.class_id == one.label
        class_id = "" if own else "  " + style.paint(printable(one.class_id), "faint")
        yield f"  {label}  {score}{class_id}"


def html(records: Iterable[Record], top: int, style: Style = PLAIN) -> Iterator[str]:
    """Yield a page; see `predictions_page.html`, which only this format imports."""
    from imgcls.render import predictions_page

    return predictions_page.html(records, top, style)


def _is_own_page(start: bytes) -> bool:
    from imgcls.render import predictions_page

    return predictions_page.is_own(start)


class Renderer(Protocol):
    """What turns records into pieces of output, as they come."""

    def __call__(
        self, records: Iterable[Record], /, top: int, style: Style = PLAIN
    ) -> Iterator[str] | Iterator[bytes]:
        """Yield pieces of text, or of bytes for a format that is no text.

        Args:
            records: read lazily.
            top: as `--top`.
            style: of text on a terminal; other formats do not use it.
        """


class Format(NamedTuple):
    """One output format.

    Attributes:
        render: records and `--top` → the pieces of the output, as the records come.
        endings: of output files, which choose this format where none is named.
        begins: whether an existing file's first bytes (and, of a long one, its last) are this
            format's own, so that it may be overwritten.
        names: of the inputs that an earlier output has.
        check: raises an ImgclsError where the format lacks what it needs.
        binary: whether it is no text and needs `--output`.
        grows: whether each piece is one record, whole, so that an interrupted output can be
            gone on with.
        header: what stands before all records.
        view: how many pixels a side, at most, the view of each image has that records must
            carry; None for none.
    """

    render: Renderer
    endings: tuple[str, ...]
    begins: Callable[[bytes], bool]
    names: Callable[[IO[bytes]], Iterator[str]]
    check: Callable[[], None] = lambda: None
    binary: bool = False
    grows: bool = False
    view: int | None = None
    header: str = ""

    def pieces(
        self, records: Iterable[Record], top: int, style: Style = PLAIN
    ) -> Iterator[str | bytes]:
        """Yield the whole output, header and all, as the records come."""
        return chain([self.header] if self.header else [], self.render(records, top, style))


def _is_text_output(start: bytes) -> bool:
    """Whether a file reads like this command's text output: path lines and indented scores."""
    first, _, rest = start.partition(b"\n")
    if b"\0" in start or not first or first.startswith(b" "):
        return False
    one_line = first.rstrip().endswith(b"%)") or b": error: " in first
    return one_line or (rest.startswith(b"  ") and b"%" in rest.partition(b"\n")[0])


_CSV_START = csv_line(CSV_HEADER)

FORMATS: Mapping[str, Format] = {
    "text": Format(text, (".txt",), _is_text_output, earlier.text_names),
    "json": Format(
        json_array, (".json",), lambda start: start.startswith(b"["), earlier.jsonl_names
    ),
    "jsonl": Format(
        jsonl,
        (".jsonl", ".ndjson"),
        lambda start: start.startswith(b'{"path": '),
        earlier.jsonl_names,
        grows=True,
    ),
    "csv": Format(
        csv_rows,
        (".csv",),
        lambda start: start.startswith(_CSV_START.encode()),
        earlier.csv_names,
        grows=True,
        header=_CSV_START,
    ),
    "parquet": Format(
        parquet.parquet,
        (".parquet",),
        parquet.is_own,
        parquet.names,
        check=parquet.check,
        binary=True,
    ),
    "html": Format(html, (".html", ".htm"), _is_own_page, earlier.html_names, view=_VIEW),
}


def format_of(output: str | None) -> str:
    """Return the format that an output file's ending stands for; text for none.

    Raises:
        UsageError: the ending stands for no format.
    """
    ending = os.path.splitext(output or "")[1].lower()
    if not ending:
        return "text"
    for name, row in FORMATS.items():
        if ending in row.endings:
            return name
    known = ", ".join(row.endings[0] for row in FORMATS.values())
    raise UsageError(
        f"{output}: {ending} is no known format; end it in one of {known}, or name the format "
        "with `format_name`"
    )

"""CSV in and out: one writer and one strict reader for every table of the program (RFC 4180)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

from imgcls.core.rounding import rounded
from imgcls.core.words import counted

Field = str | int | float | None

_FORMULA_STARTS = ("=", "+", "-", "@", "\t")
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')


class CSVError(ValueError):
    """A text that is no table; the message names the line."""


def csv_line(fields: Iterable[Field]) -> str:
    r"""Return one row with its line end, "\n".

    Args:
        fields: text is quoted where it must be, and prefixed with `'` where a spreadsheet would
            take it for a formula. A float has six significant digits. None is an empty field.
    """
    texts = [_text(field) for field in fields]
    # A row of one empty field would otherwise read as no row.
    return ('""' if texts == [""] else ",".join(texts)) + "\n"


def _text(field: Field) -> str:
    if isinstance(field, str):
        guarded = f"'{field}" if field.startswith(_FORMULA_STARTS) else field
        quoted = guarded.replace('"', '""')
        return f'"{quoted}"' if _NEEDS_QUOTES.search(guarded) else guarded
    if isinstance(field, float):
        return f"{rounded(field):g}"
    return "" if field is None else str(field)


def read_csv(text: str) -> Iterator[list[str]]:
    """Yield the rows of a table, its header first; see `read_csv_lines`."""
    return (row for _, row in read_csv_lines(text))


def read_csv_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table, its header first, each with the line it ends in, from 1.

    Empty lines are passed over. Fields are returned as they stand: a `'` before a formula is not
    taken away.

    Args:
        text: the whole table, its line ends as they are in the file.

    Raises:
        CSVError: a quoted field is not closed or goes on after its end, or a row has more or
            fewer fields than the header.
    """
    import csv  # predict only writes

    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = 0
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise CSVError(f"line {line} is malformed: {error}") from error
        if row is None:
            return
        if row:
            columns = columns or len(row)
            if len(row) != columns:
                raise CSVError(f"line {line} has {counted(len(row), 'field')} and not {columns}")
            yield reader.line_num, row

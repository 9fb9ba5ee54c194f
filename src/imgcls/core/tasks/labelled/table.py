"""A labelled table: a CSV file with the columns path and label and, if wanted, split."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imgcls.core.csv_text import CSVError, read_csv_lines
from imgcls.core.errors import UsageError
from imgcls.core.pixels.formats import is_image_start
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.labelled.names import composed, is_utf8
from imgcls.core.tasks.labelled.splits import Split, split_of
from imgcls.core.words import counted

_COLUMNS = ("path", "label", "split")
_MAX_BYTES = 256 * 2**20
_SAVE_AS = "a table is a CSV file whose first line is path,label or path,label,split"


@dataclass(frozen=True, slots=True)
class Row:
    """One image of a table.

    Attributes:
        source: the image, with its label.
        split: which part of the set it stands in; "all" where the table has no splits.
    """

    source: Source
    split: Split


def is_table(path: str) -> bool:
    """Whether an input is a table: a file that ends in .csv and is no image."""
    if os.path.splitext(path)[1].lower() != ".csv" or not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return not is_image_start(file.read(16))
    except OSError:
        return True  # whose reader says what is wrong


def read_rows(path: str) -> tuple[Row, ...]:
    """Read a table; whether its images are there is seen later, as they are read.

    Args:
        path: a CSV file in UTF-8 or UTF-16. Paths in it are relative to its folder. A split is
            one of the words by which folders are recognised: train, val, validation, test and
            the like. Other columns are not used.

    Raises:
        UsageError: it cannot be read, has no such columns or no rows, or a row has no path, no
            label or an unknown split, or names an image that another row names.
    """
    try:
        lines = list(read_csv_lines(_text(path)))
    except CSVError as error:
        raise UsageError(f"{path}: {error}") from error
    if not lines:
        raise UsageError(f"{path}: is empty; {_SAVE_AS}")
    (_, header), *lines = lines
    columns = _columns(path, header)
    if not lines:
        raise UsageError(f"{path}: has no row below its first line")
    fields = {name: [row[column] for _, row in lines] for name, column in columns.items()}
    numbers = [line for line, _ in lines]
    splits = _splits(path, fields.get("split", []), numbers)
    labels = [composed(label.strip()) for label in fields["label"]]
    _check_labels(path, labels, numbers)
    names = [_joined(path, name) for name in fields["path"]]
    _check_paths(path, fields["path"], names, numbers)
    return tuple(
        Row(Source(name, label=label), split)
        for name, label, split in zip(names, labels, splits, strict=True)
    )


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: the table cannot be read: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise UsageError(f"{path}: is larger than {_MAX_BYTES // 2**20} MB, so it is no table")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            raise UsageError(f"{path}: is not valid UTF-16; save the table as UTF-8") from None
    if is_image_start(content[:16]) or b"\0" in content:
        raise UsageError(f"{path}: is neither a folder nor a table; {_SAVE_AS}")
    return content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def _columns(path: str, header: Sequence[str]) -> dict[str, int]:
    """Return where the columns that are used stand."""
    names = [name.strip().lower() for name in header]
    for name in _COLUMNS:
        if names.count(name) > 1:
            raise UsageError(f"{path}: has two columns {name}; delete or rename one")
    for name in ("path", "label"):
        if name not in names:
            first = ",".join(header)[:80]
            raise UsageError(f"{path}: has no column {name}, its first line is {first}; {_SAVE_AS}")
    return {name: names.index(name) for name in _COLUMNS if name in names}


def _splits(path: str, written: Sequence[str], lines: Sequence[int]) -> list[Split]:
    """Return the split of each row; all are "all" where none is written."""
    if not any(text.strip() for text in written):
        return ["all"] * len(lines)
    found: list[Split] = []
    for text, line in zip(written, lines, strict=True):
        split = split_of(text)
        if split is None:
            shown = text.strip()[:40]
            what = f"split {shown} is unknown" if shown else "the split is empty"
            raise UsageError(f"{path}: line {line}: {what}; use train, validation or test")
        found.append(split)
    return found


def _check_labels(path: str, labels: Sequence[str], lines: Sequence[int]) -> None:
    empty = [line for label, line in zip(labels, lines, strict=True) if not label]
    if empty:
        raise UsageError(f"{path}: {_rows(empty, 'no label')}; write it there or delete the row")
    odd = [line for label, line in zip(labels, lines, strict=True) if not is_utf8(label)]
    if odd:
        raise UsageError(
            f"{path}: the label in line {odd[0]} is not UTF-8; save the table as UTF-8"
        )


def _check_paths(
    path: str, written: Sequence[str], names: Sequence[str], lines: Sequence[int]
) -> None:
    empty = [line for name, line in zip(written, lines, strict=True) if not name]
    if empty:
        raise UsageError(f"{path}: {_rows(empty, 'no path')}; write it there or delete the row")
    seen: dict[str, int] = {}
    twice = []
    for name, line in zip(names, lines, strict=True):
        first = seen.setdefault(os.path.normpath(name), line)
        if first != line:
            twice.append((name, first, line))
    if twice:
        name, first, line = twice[0]
        more = f", and {len(twice) - 1} more so" if len(twice) > 1 else ""
        raise UsageError(
            f"{path}: names {name} in line {first} and again in line {line}{more}; an image has "
            "one row"
        )


def _rows(lines: Sequence[int], lack: str) -> str:
    more = f" and {counted(len(lines) - 1, 'other line')}" if len(lines) > 1 else ""
    return f"line {lines[0]}{more} {'have' if more else 'has'} {lack}"


def _joined(path: str, name: str) -> str:
    return os.path.join(os.path.dirname(path), name)


def table_sources(path: str) -> Iterator[Source]:
    """Yield the images of a table with their labels, in the order of the rows.

    Raises:
        UsageError: as `read_rows`, and at once.
    """
    rows = read_rows(path)
    return (row.source for row in rows)

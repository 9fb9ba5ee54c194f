"""Read the names of a model's classes from the files that people have them in."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgcls.core.errors import UsageError
from imgcls.core.models.exported_description import (
    BESIDE,
    description_beside,
    distinct_labels,
    is_description,
)
from imgcls.core.models.file_description import check_labels

# Beside a model, in this order; `STEM.labels.txt` and `STEM_labels.txt` go before.
USUAL_NAMES = (
    *("labels.txt", "class_indices.json", "class_names.json", "class_names.txt"),
    *("labels.json", "classes.txt", "classes.json"),
)
_MAX_BYTES = 32 * 2**20
# How Teachable Machine writes a line: the column, then the name.
_NUMBERED = re.compile(r"([0-9]+)\s+(.*)")


def read_labels(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Read labels in the order of the columns.

    A file has one label a line, also with its column before it ("0 Cat"), or is JSON: a list, or
    an object of columns by label or labels by column, or what `export` writes.

    Raises:
        UsageError: it cannot be read, or they are no labels.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ValueError("it is far too large")
        text = _decode(content)
        is_json = text.lstrip().startswith(("[", "{"))
        return check_labels(_of_json(json.loads(text)) if is_json else _of_lines(text))
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file; name a text file with a label a line") from error
    except OSError as error:
        raise UsageError(f"{path}: the labels cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: is no text in UTF-8 or UTF-16; name a text file with a label a line"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path}: no labels, one a line, a JSON list or an object of columns: {error}"
        ) from error


def find_labels(model: Path) -> Path | None:
    """Return the file of labels that lies beside a model under a usual name; None if none does.

    Raises:
        UsageError: several do, so that it is not clear which are meant.
    """
    with contextlib.suppress(ValueError):
        if description_beside(model) is not None:
            return model.with_name(model.name + BESIDE)
    own = [f"{model.stem}{mark}labels.txt" for mark in "._-"]
    for names in (own, USUAL_NAMES):
        found = [model.with_name(name) for name in names if model.with_name(name).is_file()]
        if len({read_labels(path) for path in found} if len(found) > 1 else found) > 1:
            paths = " and ".join(path.name for path in found)
            raise UsageError(f"{model}: beside it are {paths}; say which with `labels`")
        if found:
            return found[0]
    return None


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")


def _of_lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    matches = [_NUMBERED.fullmatch(line) for line in lines]
    columns = [match[1] for match in matches if match]
    if lines and columns == [str(column) for column in range(len(lines))]:
        return [match[2].strip() for match in matches if match]
    return lines


def _of_json(content: Any) -> Sequence[Any]:
    if not isinstance(content, dict):
        return content if isinstance(content, list) else []
    if is_description(content):
        return distinct_labels(content)
    if all(type(column) is int for column in content.values()):  # {"cat": 0, "dog": 1}
        by_column = {column: label for label, column in content.items()}
    else:  # {"0": "cat", "1": "dog"}
        by_column = {_column(key): label for key, label in content.items()}
    if len(by_column) != len(content) or by_column.keys() != set(range(len(content))):
        raise ValueError("its columns do not count from 0 on")
    return [by_column[column] for column in range(len(by_column))]


def _column(key: str) -> int:
    if not key.isdecimal():
        raise ValueError(f"{key[:50]!r} is no column")
    return int(key)

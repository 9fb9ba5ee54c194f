"""Labelled images: which class of a model each one of a folder or a table shows."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from imgcls.core.errors import LabelError, UsageError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.source import Source
from imgcls.core.pixels.walking import walk
from imgcls.core.tasks.labelled.dataset import Part, check_there, read_dataset
from imgcls.core.tasks.labelled.names import composed, is_utf8
from imgcls.core.words import counted

log = logging.getLogger("imgcls")

LabelsFrom = Literal["folder", "filename"]

# How many labels of each side a message lists.
_LISTED = 8


@dataclass(frozen=True, slots=True)
class LabelledSource:
    """One image and the class it shows.

    Attributes:
        source: the image.
        column: the class index of its label.
    """

    source: Source
    column: int


def label_from_folder(root: str, path: str) -> str:
    """Return the first folder below `root` on the way to `path`; "" for none."""
    inside = os.path.relpath(path, root).split(os.sep)
    return composed(inside[0]) if len(inside) > 1 else ""


def label_from_filename(root: str, path: str) -> str:
    """Return what stands before the first `_` of a file's name without its ending."""
    return composed(os.path.splitext(os.path.basename(path))[0].partition("_")[0])


LABELS_FROM: Mapping[LabelsFrom, Callable[[str, str], str]] = {
    "folder": label_from_folder,
    "filename": label_from_filename,
}


def labelled_sources(
    root: str, labels: Sequence[ClassLabel], model: str, labels_from: LabelsFrom
) -> Iterator[LabelledSource | Source]:
    """Yield the images of a folder with their classes, lazily and sorted by name.

    Args:
        root: the folder; or a table, of which the test split is taken where it has one, else
            validation.
        labels: the model's classes. A label of an image is a class's id or its label.
        model: the model's name, for messages.
        labels_from: where an image's label stands.

    Yields:
        A `LabelledSource` for an image, a bare `Source` for one that has no label.

    Raises:
        UsageError: `root` is no folder, has no class folders, or is a malformed table.
        LabelError: an image has a label that the model does not have. All names are looked at
            first, so that this comes before any work is done.
    """
    if os.path.isfile(root):
        return _of_table(root, labels, model, labels_from)
    check_root(root)
    label_of = LABELS_FROM[labels_from]
    columns = _columns(labels)
    _check(root, set(columns), labels, model, labels_from)

    def pair(source: Source) -> LabelledSource | Source:
        column = columns.get(label_of(root, source.name))
        return source if column is None else LabelledSource(source, column)

    return map(pair, walk(root))


def check_root(root: str) -> None:
    """Make sure that a folder or table is there, before a model is opened for it.

    Raises:
        UsageError: it is not.
    """
    check_there(root, "a folder of labelled images")


def _of_table(
    path: str, labels: Sequence[ClassLabel], model: str, labels_from: LabelsFrom
) -> Iterator[LabelledSource]:
    if labels_from != "folder":
        raise UsageError(f"{path}: has a column of labels; leave out `labels_from`")
    part = _part_to_score(path)
    columns = _columns(labels)
    unknown = dict.fromkeys(one.label for one in part.examples() if one.label not in columns)
    if unknown:
        remedy = "rename them in the table"
        raise LabelError(_mismatch(path, list(unknown), labels, model, remedy))
    return (LabelledSource(one.source, columns[one.label]) for one in part.examples())


def _part_to_score(path: str) -> Part:
    """Return the test rows of a table, else those for validation; what is not used is said."""
    dataset = read_dataset(path)
    part = dataset.part("test") or dataset.part("validation") or dataset.parts[0]
    others = [f"{len(one.listed or ())} of {one.split}" for one in dataset.parts if one != part]
    if others:
        log.warning(
            "%s: rows of the split %s are scored and not the %s; a table without the column split "
            "is scored whole",
            *(path, part.split, " and ".join(others)),
        )
    return part


def unique_names(labels: Sequence[ClassLabel]) -> tuple[str, ...]:
    """Return the classes' labels, with the class id behind those that several classes have."""
    seen: dict[str, int] = {}
    for one in labels:
        seen[one.label] = seen.get(one.label, 0) + 1
    return tuple(
        one.label if seen[one.label] == 1 else f"{one.label} ({one.class_id})" for one in labels
    )


def _columns(labels: Sequence[ClassLabel]) -> dict[str, int]:
    """Return which column a class id, or a label that only one class has, stands for."""
    names = unique_names(labels)
    columns = {composed(name): column for column, name in enumerate(names)}
    return columns | {one.class_id: column for column, one in enumerate(labels)}


def _check(
    root: str,
    known: set[str],
    labels: Sequence[ClassLabel],
    model: str,
    labels_from: LabelsFrom,
) -> None:
    label_of = LABELS_FROM[labels_from]
    unknown: dict[str, None] = {}  # in order of appearance
    found = False
    for source in walk(root, aloud=False):
        label = label_of(root, source.name)
        found = found or label != "" or source.kind == "missing"
        if label and label not in known:
            unknown[label] = None
        if len(unknown) > 10 * _LISTED:
            break
    if unknown:
        _name_the_part(root, labels_from)
        rename = {"folder": "rename the folders", "filename": "rename the files"}[labels_from]
        raise LabelError(_mismatch(root, list(unknown), labels, model, rename))
    if not found and next(walk(root, aloud=False), None) is not None:
        raise UsageError(
            f"{root}: holds images but no folder per class; put them into folders, or name the "
            "class before the first _ of each file and set `labels_from` to filename"
        )


def _name_the_part(root: str, labels_from: LabelsFrom) -> None:
    """Refuse a folder that holds training and test folders; say which one to name.

    Raises:
        UsageError: it is such a folder.
    """
    parts = read_dataset(root).parts if labels_from == "folder" else ()
    if len(parts) > 1:
        *_, last = sorted(parts, key=lambda part: ("train", "validation", "test").index(part.split))
        folders = ", ".join(os.path.relpath(part.folder, root) for part in parts)
        raise UsageError(
            f"{root}: holds folders of class folders ({folders}); name the one to score, "
            f"such as {last.folder}"
        )


def _mismatch(
    root: str,
    unknown: list[str],
    labels: Sequence[ClassLabel],
    model: str,
    rename: str,
) -> str:
    for name in unknown:
        if not is_utf8(name):
            shown = os.fsencode(name).decode("utf-8", "backslashreplace")
            return f"{root}: the name of {shown} is not UTF-8, so it is no label; rename it"
    shared = {one.label for one in labels if one.label in unknown}
    if shared:
        ids = [one.class_id for one in labels if one.label in shared]
        return f"{root}: {_listed(sorted(shared))} means several classes; use {', '.join(ids)}"
    names = [one.label for one in labels]
    near = difflib.get_close_matches(unknown[0], names, n=1, cutoff=0.75)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return (
        f"{root}: has labels that the model does not have: {_listed(unknown)}{hint}; "
        f"{model} has {counted(len(names), 'class')}: {_listed(names)}; {rename}, "
        "or name another model"
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more

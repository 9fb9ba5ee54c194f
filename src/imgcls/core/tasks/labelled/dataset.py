"""A labelled folder or table: classes, or train, validation and test parts that hold them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from imgcls.core.errors import UsageError
from imgcls.core.pixels.formats import is_earlier_drawing, looks_like_image
from imgcls.core.pixels.source import Source
from imgcls.core.pixels.walking import sorted_entries, walk
from imgcls.core.tasks.labelled.names import composed
from imgcls.core.tasks.labelled.splits import Split, split_of
from imgcls.core.tasks.labelled.table import read_rows

# Why something in a labelled folder is not used.
Reason = Literal["linked-folder", "loose-image", "unused-folder"]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled image.

    Attributes:
        source: the image.
        label: the name of its class, in Unicode's composed form.
        split: which part of the set it stands in; "all" where the set has no parts.
    """

    source: Source
    label: str
    split: Split = "all"

    @property
    def path(self) -> str:
        """The image's path."""
        return self.source.name


@dataclass(frozen=True)
class Part:
    """A folder of class folders, or the rows of a table that are for one thing.

    Attributes:
        split: what it is for.
        folder: its path, or for messages the table's, with the split where it has several.
        names: of its class folders as the disk has them, or of the table's classes, sorted.
        listed: the images that a table names, in its order; None for a folder.
    """

    split: Split
    folder: str
    names: tuple[str, ...]
    listed: tuple[Source, ...] | None = field(default=None, repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """Its classes, sorted: the names of the folders in Unicode's composed form."""
        return tuple(sorted({composed(name) for name in self.names}))

    def examples(self) -> Iterator[Example]:
        """Yield its images; folders inside a class folder belong to it.

        Those of a folder come by class and name, those of a table in the order of its rows.
        """
        if self.listed is not None:
            yield from (Example(source, source.label, self.split) for source in self.listed)
            return
        for name in self.names:
            for source in walk(os.path.join(self.folder, name)):
                yield Example(source, composed(name), self.split)

    def place(self, name: str) -> str:
        """Return the path of a class folder, or the table with the name of the class."""
        if self.listed is not None:
            return f"{self.folder}: {name}"
        return os.path.join(self.folder, name)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that stands where class folders do and is not used.

    Attributes:
        path: a folder or an image.
        reason: why.
    """

    path: str
    reason: Reason


@dataclass(frozen=True)
class Dataset:
    """A labelled folder or table.

    Attributes:
        folder: its path, or the table's.
        parts: one part "all", or those of train, validation and test that are there.
        passed_over: what is not used, but for hidden files and folders.
    """

    folder: str
    parts: tuple[Part, ...]
    passed_over: tuple[PassedOver, ...] = field(default=())

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of all parts, sorted."""
        return tuple(sorted({label for part in self.parts for label in part.labels}))

    def part(self, split: Split) -> Part | None:
        """Return one of the parts; None where it has no such part."""
        return next((part for part in self.parts if part.split == split), None)

    def examples(self) -> Iterator[Example]:
        """Yield all images, part by part."""
        for part in self.parts:
            yield from part.examples()


def read_dataset(folder: str | os.PathLike[str]) -> Dataset:
    """Look at a labelled folder; the images of its classes are found later, as they are asked for.

    Args:
        folder: holds a folder per class; or a training folder beside a validation or test
            folder, recognised by how their names begin or end, that do. Hidden folders and links
            to folders are no classes. Or a table, a CSV file with the columns path and label and,
            if wanted, split.

    Raises:
        UsageError: there is no such folder, no class folder in it, or the table is malformed.
    """
    path = os.fspath(folder)
    check_there(path)
    if os.path.isfile(path):
        return _table(path)
    parts = _split_parts(path) or (Part("all", path, class_folders(path)),)
    passed_over = tuple(_passed_over(path, parts))
    if not any(part.labels for part in parts):
        linked = [os.path.basename(one.path) for one in passed_over if _is_link(one)]
        if linked:
            raise UsageError(
                f"{path}: its class folders are links ({', '.join(linked[:3])}), which are not "
                "followed; put the folders themselves there"
            )
        raise UsageError(f"{path}: holds no class folders; put each class's images in a folder")
    return Dataset(path, parts, passed_over)


def check_there(path: str, folder: str = "a folder that holds a folder per class") -> None:
    """Make sure that a labelled folder or table is there, before any work is done for it.

    Args:
        path: of the folder or table.
        folder: what messages call a folder that would do.

    Raises:
        UsageError: it is not there.
    """
    if not os.path.isfile(path) and not os.path.isdir(path):
        raise UsageError(
            f"{path}: no such folder or table; name {folder}, or a CSV file with the columns path "
            "and label"
        )


def class_folders(folder: str) -> tuple[str, ...]:
    """Return the names of the folders in a folder, sorted; neither hidden ones nor links.

    Raises:
        UsageError: the folder cannot be read.
    """
    return tuple(entry.name for entry in _entries(folder) if entry.is_dir(follow_symlinks=False))


def hidden_folders(dataset: Dataset) -> list[str]:
    """Return the hidden folders that stand where class folders do; they are passed over."""
    folders = {dataset.folder, *(part.folder for part in dataset.parts)}
    return sorted(
        os.fspath(path)
        for folder in folders
        if os.path.isdir(folder)  # and no table
        for path in Path(folder).iterdir()
        if path.name.startswith(".") and path.is_dir()
    )


def _table(path: str) -> Dataset:
    parts: dict[Split, list[Source]] = {}
    for row in read_rows(path):
        parts.setdefault(row.split, []).append(row.source)
    return Dataset(
        path,
        tuple(
            Part(
                split,
                path if len(parts) == 1 else f"{path} ({split})",
                tuple(sorted({source.label for source in sources})),
                tuple(sources),
            )
            for split, sources in parts.items()
        ),
    )


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        yield from sorted_entries(folder)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read: {error.strerror}") from error


def _split_parts(folder: str) -> tuple[Part, ...]:
    """Return the parts of a set that is split by folders; none where its folders are classes.

    A folder called `train` may well be a class. It is a part where it holds class folders, and
    either a validation or test folder or no other folder of images stands beside it.
    """
    names = class_folders(folder)
    parts = [
        Part(split, inner, class_folders(inner))
        for name in names
        if (split := split_of(name)) and (inner := _innermost(os.path.join(folder, name), split))
    ]
    filled = [part for part in parts if part.names]
    others = (os.path.join(folder, name) for name in names if split_of(name) is None)
    if not any(part.split == "train" for part in filled) or (
        all(part.split == "train" for part in parts)
        and any(next(walk(other, aloud=False), None) for other in others)
    ):
        return ()
    _refuse_twice(folder, filled)
    return tuple(filled)


def _innermost(folder: str, split: Split) -> str:
    """Return the folder itself, or the one of the same name that is all it holds.

    Some archives unpack to `seg_train/seg_train/CLASS`.
    """
    names = class_folders(folder)
    if len(names) == 1 and split_of(names[0]) == split:
        inner = os.path.join(folder, names[0])
        if class_folders(inner):
            return _innermost(inner, split)
    return folder


def _refuse_twice(folder: str, parts: list[Part]) -> None:
    for split in ("train", "validation", "test"):
        named = [os.path.relpath(part.folder, folder) for part in parts if part.split == split]
        if len(named) > 1:
            raise UsageError(
                f"{folder}: {' and '.join(named)} both look like {split} folders; rename one"
            )


def _passed_over(folder: str, parts: tuple[Part, ...]) -> Iterator[PassedOver]:
    """Yield what stands beside the class folders, or beside the folders of the parts."""
    used = {part.folder for part in parts}
    if folder not in used:
        for entry in _entries(folder):
            inside = os.path.join(entry.path, "")
            is_used = any(os.path.join(part, "").startswith(inside) for part in used)
            if entry.is_dir() and not is_used and next(walk(entry.path, aloud=False), None):
                link = entry.is_symlink()
                yield PassedOver(entry.path, "linked-folder" if link else "unused-folder")
    for place in sorted({folder, *used}):
        for entry in _entries(place):
            if entry.is_dir():
                if entry.is_symlink() and place in used:
                    yield PassedOver(entry.path, "linked-folder")
            elif looks_like_image(entry.path) and not is_earlier_drawing(entry.path):
                yield PassedOver(entry.path, "loose-image")


def _is_link(one: PassedOver) -> bool:
    return one.reason == "linked-folder"

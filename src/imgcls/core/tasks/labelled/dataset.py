"""A labelled folder: class folders, or train, validation and test folders of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgcls.core.errors import UsageError
from imgcls.core.pixels.sources import Source, sorted_entries, walk

Split = Literal["all", "train", "validation", "test"]

# What the folders are usually called.
SPLIT_NAMES: Mapping[Split, frozenset[str]] = {
    "train": frozenset({"train", "training", "training_set", "train_set"}),
    "validation": frozenset({"val", "valid", "validation", "validation_set", "val_set"}),
    "test": frozenset({"test", "testing", "test_set"}),
}


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled image.

    Attributes:
        source: the image.
        label: the name of its class folder.
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
    """A folder of class folders.

    Attributes:
        split: what it is for.
        folder: its path.
        labels: the names of its class folders, sorted.
    """

    split: Split
    folder: str
    labels: tuple[str, ...]

    def examples(self) -> Iterator[Example]:
        """Yield its images by class and name; folders inside a class folder belong to it."""
        for label in self.labels:
            for source in walk(os.path.join(self.folder, label)):
                yield Example(source, label, self.split)


@dataclass(frozen=True)
class Dataset:
    """A labelled folder.

    Attributes:
        folder: its path.
        parts: one part "all", or those of train, validation and test that are there.
    """

    folder: str
    parts: tuple[Part, ...]

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
    """Look at a labelled folder; images are found later, as they are asked for.

    Args:
        folder: holds a folder per class, or `train` beside `val` or `test` folders (under any
            of their usual names) that do. Hidden folders and links to folders are no classes.

    Raises:
        UsageError: there is no such folder, or no class folder in it.
    """
    path = os.fspath(folder)
    if not os.path.isdir(path):
        raise UsageError(f"{path}: no such folder; name a folder that holds a folder per class")
    splits = {name: _split_of(name) for name in class_folders(path)}
    if any(
        split == "train" and class_folders(os.path.join(path, name))
        for name, split in splits.items()
    ):
        parts = tuple(
            Part(split, os.path.join(path, name), class_folders(os.path.join(path, name)))
            for name, split in splits.items()
            if split is not None
        )
        _refuse_twice(path, parts)
    else:
        parts = (Part("all", path, tuple(splits)),)
    if not any(part.labels for part in parts):
        raise UsageError(f"{path}: holds no class folders; put each class's images in a folder")
    return Dataset(path, parts)


def class_folders(folder: str) -> tuple[str, ...]:
    """Return the names of the folders in a folder, sorted; neither hidden ones nor links.

    Raises:
        UsageError: the folder cannot be read.
    """
    try:
        return tuple(
            entry.name for entry in sorted_entries(folder) if entry.is_dir(follow_symlinks=False)
        )
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read: {error.strerror}") from error


def hidden_folders(dataset: Dataset) -> list[str]:
    """Return the hidden folders that stand where class folders do; they are passed over."""
    folders = {dataset.folder, *(part.folder for part in dataset.parts)}
    return sorted(
        os.fspath(path)
        for folder in folders
        for path in Path(folder).iterdir()
        if path.name.startswith(".") and path.is_dir()
    )


def _split_of(name: str) -> Split | None:
    lower = name.lower()
    return next((split for split, names in SPLIT_NAMES.items() if lower in names), None)


def _refuse_twice(path: str, parts: tuple[Part, ...]) -> None:
    for split in SPLIT_NAMES:
        named = [os.path.basename(part.folder) for part in parts if part.split == split]
        if len(named) > 1:
            raise UsageError(
                f"{path}: {' and '.join(named)} both look like {split} folders; rename one"
            )

"""A labelled folder with what is known of each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imgcls.core.progress import progress
from imgcls.core.tasks.labelled.dataset import Dataset, Example
from imgcls.core.tasks.labelled.fingerprints import Fingerprint, fingerprints, same_pictures
from imgcls.core.tasks.labelled.names import composed


@dataclass(frozen=True)
class InspectedDataset:
    """A labelled folder whose images were all looked at.

    Attributes:
        dataset: the folder.
        examples: its images.
        fingerprints: theirs, in the same order.
        groups: positions of images that show the same picture, exactly or nearly.
    """

    dataset: Dataset
    examples: Sequence[Example]
    fingerprints: Sequence[Fingerprint]
    groups: Sequence[Sequence[int]]

    def pairs(self) -> Iterator[tuple[Example, Fingerprint]]:
        """Yield each image with its fingerprint."""
        return zip(self.examples, self.fingerprints, strict=True)

    def grouped(self) -> Iterator[tuple[list[Example], bool]]:
        """Yield the images of each group, and whether their files are equal."""
        for group in self.groups:
            digests = {self.fingerprints[position].digest for position in group}
            yield [self.examples[position] for position in group], len(digests) == 1

    def readable_counts(self) -> dict[str, int]:
        """Return how many readable images each class folder has."""
        folders = {  # names that are equal when composed are one class, counted by the first
            (part.split, composed(name)): part.place(name)
            for part in self.dataset.parts
            for name in reversed(part.names)
        }
        counts = dict.fromkeys(sorted(folders.values()), 0)
        for example, fingerprint in self.pairs():
            counts[folders[example.split, example.label]] += not fingerprint.error
        return counts

    def training_counts(self) -> dict[str, int]:
        """Return the same of the class folders that are for training."""
        part = self.dataset.part("train") or self.dataset.parts[0]
        folders = {part.place(name) for name in part.names}
        return {
            folder: count for folder, count in self.readable_counts().items() if folder in folders
        }


def inspect(dataset: Dataset, workers: int | None = None) -> InspectedDataset:
    """Take the fingerprint of every image and find those that show the same picture.

    Args:
        dataset: the folder.
        workers: how many images to look at at once; default: one a processor core.
    """
    examples = list(dataset.examples())
    looked_at = fingerprints((example.source for example in examples), workers)
    found = list(progress(looked_at, "image", len(examples)))
    return InspectedDataset(dataset, examples, found, same_pictures(found))

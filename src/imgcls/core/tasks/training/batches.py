"""What a learner is shown: batches of features or of images, in a new order every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import numpy.typing as npt

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.augment import Augmentation, augment
from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
from imgcls.core.pixels.source import Source
from imgcls.core.processor import usable_cores
from imgcls.core.tasks.training.features import read_again

Columns = npt.NDArray[np.int64]
Batch = tuple[Float32Array, Columns]


class Examples(Protocol):
    """Labelled inputs of a learner.

    Attributes:
        columns: the class of each example, int64 (n,).
    """

    @property
    def columns(self) -> Columns:
        """The class of each example, int64 (n,)."""

    def batches(self, order: Sequence[int], size: int, epoch: int) -> Iterator[Batch]:
        """Yield inputs (n, …) and their columns (n,).

        Args:
            order: positions of the examples to yield.
            size: how many a batch holds; the last may hold fewer.
            epoch: which random changes are made; 0 is none.
        """
        ...


@dataclass(frozen=True)
class FixedFeatures:
    """Features that were computed once."""

    features: Float32Array
    columns: Columns

    def batches(self, order: Sequence[int], size: int, epoch: int) -> Iterator[Batch]:
        """Yield features (n, d); see `Examples.batches`."""
        for start in range(0, len(order), size):
            part = np.asarray(order[start : start + size])
            yield self.features[part], self.columns[part]


@dataclass(frozen=True)
class Images:
    """Images as a network takes them, changed at random if so wished, read as they are needed.

    Attributes:
        sources: the images.
        columns: the class of each.
        preprocessing: the network's.
        augmentation: how they are changed, differently in every epoch; None for not at all.
        seed: the same seed, epoch and position give the same change.
    """

    sources: Sequence[Source]
    columns: Columns
    preprocessing: Preprocessing
    augmentation: Augmentation | None
    seed: int

    def batches(self, order: Sequence[int], size: int, epoch: int) -> Iterator[Batch]:
        """Yield preprocessed images (n, h, w, 3); see `Examples.batches`."""
        loaded = self.mapped(order, epoch, lambda pixels: list(pixels), chunk=4)
        for part, images in _batched(order, loaded, size):
            yield self.preprocessing.scale(np.stack(images)), self.columns[part]

    def mapped(
        self,
        order: Sequence[int],
        epoch: int,
        function: Callable[[Sequence[Uint8Image]], list[np.ndarray]],
        chunk: int,
    ) -> Iterator[np.ndarray]:
        """Yield what a function makes of chunks of images, in order, in several threads."""

        def work(positions: list[int]) -> list[np.ndarray]:
            return function([self._load(position, epoch) for position in positions])

        return map_ordered(work, order, workers=usable_cores(), chunk=chunk)

    def _load(self, position: int, epoch: int) -> Uint8Image:
        pixels = read_again(self.sources[position], self.preprocessing)
        if self.augmentation is None or epoch == 0:
            return pixels
        random = np.random.default_rng((self.seed, epoch, position))
        return augment(pixels, self.augmentation, random)


@dataclass(frozen=True)
class ImageFeatures:
    """Features of images that are changed at random: the frozen backbone runs every epoch."""

    images: Images
    model: Model

    @property
    def columns(self) -> Columns:
        """The class of each example."""
        return self.images.columns

    def batches(self, order: Sequence[int], size: int, epoch: int) -> Iterator[Batch]:
        """Yield features (n, d); see `Examples.batches`."""
        engine = self.model.engine

        def features(pixels: Sequence[Uint8Image]) -> list[np.ndarray]:
            batch: Float32Array = self.model.preprocessing.scale(np.stack(pixels))
            return list(engine.run(batch, ("features",))[0])

        rows = self.images.mapped(order, epoch, features, engine.batch_size)
        for part, batch in _batched(order, rows, size):
            yield np.stack(batch), self.columns[part]


def epoch_order(count: int, seed: int, stage: int, epoch: int) -> list[int]:
    """Return the positions of so many examples in the order in which an epoch shows them."""
    order: list[int] = np.random.default_rng((seed, stage, epoch)).permutation(count).tolist()
    return order


def _batched(
    order: Sequence[int], items: Iterable[np.ndarray], size: int
) -> Iterator[tuple[npt.NDArray[np.int64], list[np.ndarray]]]:
    stream = iter(items)
    for start in range(0, len(order), size):
        part = np.asarray(order[start : start + size])
        yield part, list(islice(stream, size))

"""Features of images for whoever asks: what a network sees in each, a row an input."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.model import Model, load_model
from imgcls.core.errors import ImageError, UsageError
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.models.variant import AS_IT_IS, Variant
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.pixels.source import Source
from imgcls.core.pixels.sources import as_sources
from imgcls.core.tasks.classify.scoring import adapt
from imgcls.core.tasks.features.computing import Wanted, compute_features, features_name
from imgcls.core.tasks.labelled.sources import label_from_folder
from imgcls.core.tasks.labelled.splits import split_of
from imgcls.core.tasks.labelled.table import is_table, table_sources
from imgcls.core.words import counted


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """What a network sees in one input.

    Attributes:
        path: the input's name, as given.
        label: the class folder that the image is in, where a folder was named that has such, or
            its label in a table; else "".
        model: the model's name.
        features: float32 (d,): the last feature map, averaged over height and width, or the
            layer that the model's row names; None on error.
        error: why the input failed; None if it did not.
    """

    path: str
    label: str
    model: str
    features: Float32Array | None
    error: str | None

    def __repr__(self) -> str:
        """Return of what they are and how many."""
        if self.features is None:
            return f"<FeatureRow {self.path}: error: {self.error}>"
        label = f" ({self.label})" if self.label else ""
        return f"<FeatureRow {self.path}{label}: {counted(len(self.features), 'feature')}>"


@dataclass(frozen=True, slots=True)
class FeatureOptions:
    """How features are computed.

    Attributes:
        features: which, as `Variant` has it; default: the model's own, which its classifier
            stands on.
        size: height and width of the network's input; default: its own.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.

    Raises:
        UsageError: a number is out of range.
    """

    features: str | None = None
    size: int | None = None
    resize: Resize | None = None
    interpolation: Interpolation | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"`workers` must be 1 or more; it is {self.workers}")
        _ = self.variant  # which refuses a size that is out of range

    @property
    def variant(self) -> Variant:
        """How the network differs from what its name or its file says."""
        return Variant(self.size, self.features or "")


def features(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source],
    model: str | Model = DEFAULT_MODEL,
    *,
    features: str | None = None,
    size: int | None = None,
    resize: Resize | None = None,
    interpolation: Interpolation | None = None,
    workers: int | None = None,
) -> Iterator[FeatureRow]:
    """Compute what a network sees in images; yield a row for every input, in order.

    What was computed once, by `finetune` too, comes from the cache.

    Args:
        inputs: files, folders, globs, URLs, "-" for stdin, sources, and labelled tables (CSV files
            with the columns path and label), whose images they stand for; read lazily.
        model: a name from the table of models, a model file's path, or an open model.
        features: "avg", the last feature map averaged over its places; "flatten", all its
            places; or the name of a layer, such as "fc2" of VGG16, averaged over height and
            width where it has them. Default: those that the model's classifier stands on.
        size: height and width of the network's input; default: its own.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.

    Yields:
        Rows. An image that cannot be read has an error and no features.

    Raises:
        ModelError: the model is unknown or cannot be run.
        UsageError: a number is out of range, the network has no such features or cannot be of
            that size, they are asked of an open model, or that is int8.

    Example:
        >>> import imgcls
        >>> for row in imgcls.features("sample_images/cat.jpg"):
        ...     print(row.features.shape, row.features.dtype)
        (1280,) float32
    """
    options = FeatureOptions(
        features=features,
        size=size,
        resize=resize,
        interpolation=interpolation,
        workers=workers,
    )
    if isinstance(model, Model):
        if options.variant != AS_IT_IS:
            raise UsageError("the model is open; name it, or open it with a variant")
        opened = model
    else:
        opened = load_model(model, threads=workers, variant=options.variant)
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    sources = (source for item in inputs for source in sources_of(item))
    return feature_rows(sources, opened, options)


def sources_of(item: str | os.PathLike[str] | Source) -> Iterator[Source]:
    """Return the sources that an input names, lazily; those of a labelled table with their labels.

    Raises:
        UsageError: it is a malformed table; raised at once.
    """
    if not isinstance(item, Source) and is_table(os.fspath(item)):
        return table_sources(os.fspath(item))
    return as_sources([item])


def feature_rows(
    sources: Iterable[Source], model: Model, options: FeatureOptions
) -> Iterator[FeatureRow]:
    """Yield a row for every source, in order, as they are done; see `features`."""
    preprocessing = adapt(model.preprocessing, options.resize, options.interpolation)
    wanted = map(Wanted, sources)
    for one in compute_features(model, preprocessing, wanted, options.workers):
        found = one.features
        failed = isinstance(found, ImageError)
        yield FeatureRow(
            path=one.source.name,
            label=label_of(one.source),
            model=model.name,
            features=None if isinstance(found, ImageError) else found,
            error=str(found) if failed else None,
        )


def unread_rows(sources: Iterable[Source], model: Model) -> Iterator[FeatureRow]:
    """Yield the rows of sources that are known to be missing; the model may be closed."""
    for source in sources:
        yield FeatureRow(source.name, label_of(source), model.name, None, source.reason)


def row_facts(model: Model, options: FeatureOptions) -> str:
    """Return all that decides what a row says, besides the input itself."""
    preprocessing = adapt(model.preprocessing, options.resize, options.interpolation)
    return f"{model.name} {features_name(model, preprocessing)}"


def count_features(model: Model) -> int:
    """Return how many features the model gives for an image; runs it once."""
    size = model.preprocessing.size
    black = model.preprocessing.scale(np.zeros((1, size, size, 3), np.uint8))
    (found,) = model.engine.run(black, ("features",))
    return int(found.shape[1])


def label_of(source: Source) -> str:
    """Return an image's label in a table, or its class folder in a folder that was named, or "".

    Folders whose names say that they are for training or testing are no classes.
    """
    if not source.root:
        return source.label
    root, label = source.root, label_from_folder(source.root, source.name)
    while label and split_of(label):
        inside = os.path.relpath(source.name, root).split(os.sep)[0]
        root = os.path.join(root, inside)
        label = label_from_folder(root, source.name)
    return label

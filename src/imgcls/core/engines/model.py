"""A model that is ready to use: engine, labels and preprocessing together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.engines.engine import Engine, EngineName, Precision
from imgcls.core.engines.opening import open_engine
from imgcls.core.errors import ImageError, NoImagesError, UsageError
from imgcls.core.models.find_model import find_model
from imgcls.core.models.labels import ClassLabel, Language
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.models.variant import ALL_PLACES, AS_IT_IS, MEAN, Variant
from imgcls.core.models.weights import Network
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.pixels.sources import Source, as_sources
from imgcls.core.processor import usable_cores
from imgcls.core.progress import working
from imgcls.core.words import counted

if TYPE_CHECKING:  # a named model needs nothing of what reads model files
    from imgcls.core.models.familiarity import Familiarity
    from imgcls.core.models.head import Head

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """An open model, for any number of calls from any number of threads.

    Attributes:
        name: what records call it.
        network: the row of the table, and its weights.
        preprocessing: how its input is made unless a call says otherwise.
        labels: what the columns of the scores mean; none for a network that ends in features.
        engine: what runs it.
        head: the classifier on the network's features that takes the place of its own; None
            for a network as it was published.
        precision: what the engine computes with.
        familiarity: what tells how far an image is from those learned; None if unknown.
    """

    name: str
    network: Network
    preprocessing: Preprocessing
    labels: tuple[ClassLabel, ...]
    engine: Engine
    head: Head | None = None
    precision: Precision = "float32"
    familiarity: Familiarity | None = None

    def __repr__(self) -> str:
        """Return its name and what it tells apart."""
        classes = counted(len(self.labels), "class")
        return f"<Model {self.name}: {classes}, {self.precision}>"

    def preprocess(
        self, images: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source]
    ) -> Float32Array:
        """Read images as this model wants them, for `scores`.

        Args:
            images: files, folders, globs, URLs, or sources; all of them are held in memory.

        Returns:
            float32 (n, size, size, 3), scaled, in the order of the inputs.

        Raises:
            ImageError: one cannot be read.
            NoImagesError: there is none.
        """
        pixels = []
        for source in as_sources(images):
            try:
                pixels.append(load_image(source, self.preprocessing).pixels)
            except ImageError as error:
                raise ImageError(f"{source.name}: {error}") from error
        if not pixels:
            raise NoImagesError("there are no images to read")
        return self.preprocessing.scale(np.stack(pixels))

    def logits(self, batch: Float32Array) -> Float32Array:
        """Return the logits, float32 (n, classes), of a preprocessed batch (n, h, w, 3).

        Raises:
            UsageError: the network was opened for other features, which it ends in.
        """
        if not self.labels:
            raise UsageError(f"{self.name}: opened with `size` or `features`, it has no classes")
        if self.head is not None:
            (features,) = self.engine.run(batch, ("features",))
            return _row_by_row(self.head.logits, features)
        (logits,) = self.engine.run(batch, ("logits",))
        return logits

    def scores(self, batch: Float32Array) -> Float32Array:
        """Return the softmax scores, float32 (n, classes), of a preprocessed batch."""
        return softmax(self.logits(batch))

    def judge(self, batch: Float32Array) -> tuple[Float32Array, Float32Array | None]:
        """Return the scores of a batch, and how familiar each image is; in one pass.

        Args:
            batch: preprocessed, float32 (n, h, w, 3).

        Returns:
            Scores (n, classes), and p-values (n,), 0 to 1, or None for a model without them.
        """
        if self.head is None or self.familiarity is None:
            return self.scores(batch), None
        (features,) = self.engine.run(batch, ("features",))
        logits = _row_by_row(self.head.logits, features)
        return softmax(logits), _row_by_row(self.familiarity.p_values, features)


def _row_by_row(
    function: Callable[[Float32Array], Float32Array], features: Float32Array
) -> Float32Array:
    """Apply products of matrices, which round otherwise where more rows are in the batch."""
    return np.concatenate([function(row[np.newaxis]) for row in features])


def load_model(
    ref: str = DEFAULT_MODEL,
    *,
    weights: str | os.PathLike[str] | None = None,
    engine: EngineName = "auto",
    threads: int | None = None,
    precision: Precision = "float32",
    calibration: Iterable[Source] | None = None,
    variant: Variant = AS_IT_IS,
    language: Language = "en",
    images: int | None = None,
) -> Model:
    """Open a model; keep it for many calls.

    Args:
        ref: a name from the table of models, or the path of a file written by `finetune`.
        weights: a local weights file for it; default: its ImageNet weights.
        engine: "auto" takes LiteRT where it can run the model, else Keras; OpenVINO where it is
            installed and was timed on this machine as the faster one.
        threads: how many processor cores to use; default: all that this process may use.
        precision: "int8" is faster and a little less accurate; on LiteRT only.
        calibration: photos to make the int8 model with where there is none yet, of which the
            first 100 that can be read are used.
        variant: an input size or features other than its own; the model then ends in its
            features and has no classes.
        language: of the labels of ImageNet's classes, "en" or "zh"; their ids are the same.
        images: how many it is opened for, if that is known: few do not pay for an engine that
            takes longer to open. For hundreds, the engines that are installed are timed now if
            that was not done before.

    Raises:
        UsageError: int8 is to be made and there is nothing to calibrate it on, or weights or a
            language are given for a file that has its own.
        ModelError: there is no such model, or it cannot be run.
        WeightsError: its weights are missing or do not fit.

    Example:
        >>> import imgcls
        >>> model = imgcls.load_model()
        >>> model.name, len(model.labels), model.preprocessing.size
        ('efficientnet-lite0', 1000, 224)
    """
    given = None if weights is None else os.fspath(weights)
    check_features(ref, given, variant)
    found = find_model(ref, given, language)
    network, preprocessing = found.network, found.preprocessing
    head, labels, familiarity = found.head, found.labels, found.familiarity
    other = network.varied(variant)
    if other is not network:
        size = other.spec.preprocessing.size
        network, preprocessing, head, labels = other, preprocessing.for_size(size), None, ()
        familiarity = None
    with working(f"opening {os.path.basename(ref)}"):
        cores = threads or usable_cores()
        running = open_engine(network, engine, cores, precision, calibration, images)
    return Model(ref, network, preprocessing, labels, running, head, precision, familiarity)


def check_features(ref: str, weights: str | None, variant: Variant) -> None:
    """Make sure that there is the layer of a variant, before weights are fetched or compiled.

    Args:
        ref: a name from the table of models, or the path of a model file.
        weights: a local weights file for a named model.
        variant: how the network is to be used.

    Raises:
        UsageError: there is no such layer, or the network cannot be built so.
        ModelError: there is no such model, or the file is damaged.
    """
    if variant.features in ("", MEAN, ALL_PLACES):
        return
    network = find_model(ref, weights, fetch=False).network
    if (other := network.varied(variant)) is not network:
        from imgcls.core.engines.layer_check import check_features_layer

        check_features_layer(other)


def map_chunks(
    model: Model,
    work: Callable[[list[T]], list[R]],
    items: Iterable[T],
    workers: int | None,
) -> Iterator[R]:
    """Yield what some work makes of each item, in order, in chunks that suit the model's engine.

    Args:
        model: whose engine the work asks.
        work: makes a chunk of items into a result each; see `map_ordered`.
        items: read lazily.
        workers: how many chunks at once; default: one a processor core, and more where the engine
            asks for it.
    """
    return map_ordered(
        work,
        items,
        workers=workers or max(usable_cores(), model.engine.parallel),
        chunk=model.engine.batch_size,
        eager=model.engine.one_by_one,
    )

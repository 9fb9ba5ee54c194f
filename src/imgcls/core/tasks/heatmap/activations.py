"""What the layers of a network answer to an image."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.keras_engine import keras_model
from imgcls.core.engines.model import Model, load_model
from imgcls.core.errors import UsageError, as_image_error
from imgcls.core.keras.graph import add_head, cut_top
from imgcls.core.keras.layer_outputs import LayerOutputs
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import Interpolation, Resize, Uint8Image
from imgcls.core.pixels.source import Source
from imgcls.core.pixels.sources import as_sources
from imgcls.core.tasks.classify.classify import Prediction, top_k
from imgcls.core.tasks.classify.scoring import adapt
from imgcls.core.words import counted


@dataclass(frozen=True, slots=True)
class Activations:
    """What the layers of a network answer to one image.

    Attributes:
        path: the input's name, as given.
        model: the model's name.
        prediction: the best class; None on error.
        image: what the network saw, uint8 (size, size, 3) RGB; None on error.
        layers: name → float32 (h, w, c), or (d,) of a layer without height and width; in the
            order of the network.
        error: why the input failed; None if it did not.
    """

    path: str
    model: str
    prediction: Prediction | None
    image: Uint8Image | None = field(repr=False)
    layers: Mapping[str, Float32Array] = field(repr=False)
    error: str | None = None

    def __repr__(self) -> str:
        """Return of what and how many they are."""
        what = counted(len(self.layers), "layer") if self.error is None else f"error: {self.error}"
        return f"<Activations {self.path}: {what}>"

    def _repr_png_(self) -> bytes | None:
        """Return what a notebook shows: the sheet of the layers; nothing on error."""
        if self.error is not None:
            return None
        from imgcls.core.notebook import png
        from imgcls.core.tasks.heatmap.activation_sheet import draw_sheet

        return png(draw_sheet(self))


@dataclass(frozen=True, slots=True)
class ActivationOptions:
    """Which layers, and how an image comes in.

    Attributes:
        layers: names; empty for all that have height and width.
        first: only so many of them, in the order of the network; None for all.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.

    Raises:
        UsageError: `first` is below 1, or a layer is named twice.
    """

    layers: tuple[str, ...] = ()
    first: int | None = None
    resize: Resize | None = None
    interpolation: Interpolation | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.first < 1:
            raise UsageError(f"`first` is {self.first}; it must be 1 or more")
        if len(set(self.layers)) < len(self.layers):
            raise UsageError("a layer is named twice; name each once")


def activations(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source],
    model: str | Model = DEFAULT_MODEL,
    *,
    layers: Iterable[str] = (),
    first: int | None = None,
    resize: Resize | None = None,
    interpolation: Interpolation | None = None,
) -> Iterator[Activations]:
    """Return what the layers of a network answer to images; one answer for each, in order.

    All layers of an image come from one pass through the network (Keras), after the activation
    of each layer, as `keras.Model(model.input, layer.output)` gives them.

    Args:
        inputs: files, folders, globs, URLs, "-" for stdin, or sources; read lazily.
        model: a name from the table of models, the path of a model file, or an open model.
        layers: which; default: all that have height and width.
        first: only so many of them, in the order of the network.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.

    Yields:
        Activations; for an image that cannot be read, with an error and no layers.

    Raises:
        ModelError: the model is unknown or cannot be run.
        UsageError: there is no such layer.

    Example:
        >>> import imgcls
        >>> (seen,) = imgcls.activations("sample_images/cat.jpg", first=2)
        >>> {name: values.shape for name, values in seen.layers.items()}
        {'stem_conv': (112, 112, 32), 'stem_bn': (112, 112, 32)}
    """
    options = ActivationOptions(tuple(layers), first, resize, interpolation)
    opened = model if isinstance(model, Model) else load_model(model, engine="keras")
    return map(Observer(opened, options).observe, as_sources(inputs))


class Observer:
    """Answers what the layers of one model answer to images.

    Raises:
        UsageError: there is no such layer.
    """

    def __init__(self, model: Model, options: ActivationOptions) -> None:
        self._model = model
        self._preprocessing = adapt(model.preprocessing, options.resize, options.interpolation)
        network = keras_model(model.engine, model.network)
        if model.head is not None and not model.network.stored:
            # On the features stands what was trained, not the network's own classifier.
            network = add_head(cut_top(network, model.network.spec), model.head)
        self._outputs = LayerOutputs(network, options.layers, options.first)

    def observe(self, source: Source) -> Activations:
        """Return the activations of one image; they say so if it cannot be used."""
        model = self._model
        try:
            fitted = load_image(source, self._preprocessing)
            batch = self._preprocessing.scale(fitted.pixels[None])
            (best,) = top_k(model.scores(batch)[0], model.labels, 1)
            layers = self._outputs.run(batch[0])
        except Exception as error:  # one bad image ends nothing but itself
            reason = str(as_image_error(error))
            return Activations(source.name, model.name, None, None, {}, reason)
        return Activations(source.name, model.name, best, fitted.pixels, layers)

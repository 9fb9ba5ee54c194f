"""Say why: which part of an image spoke for a class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.engines.model import Model, load_model
from imgcls.core.errors import ImageError, UsageError, as_image_error
from imgcls.core.models.find_model import find_model
from imgcls.core.models.labels import find_class
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.images import load_with_original
from imgcls.core.pixels.preprocessing import Interpolation, Resize, Uint8Image
from imgcls.core.pixels.sources import Source, as_sources
from imgcls.core.processor import usable_cores
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.classify.scoring import adapt, check_finite
from imgcls.core.tasks.heatmap.drawing import EVIDENCE, draw_overlay
from imgcls.core.tasks.heatmap.explanation import Explanation, Unexplained
from imgcls.core.tasks.heatmap.faithfulness import Faithfulness, measure_faithfulness
from imgcls.core.tasks.heatmap.method_inputs import (
    ForwardPass,
    MethodInputs,
    blurred,
    forward_pass,
    grey_pixel,
    needs_keras,
    run_scores,
)
from imgcls.core.tasks.heatmap.methods import CAM_METHODS, DEFAULT_METHOD, combine
from imgcls.core.tasks.heatmap.options import ExplainOptions
from imgcls.core.tasks.heatmap.upsample import upsample

if TYPE_CHECKING:
    from imgcls.core.keras.gradients import Gradients

# What methods that look at pixels have for a layer.
INPUT_LAYER = "input"


def explain(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Source],
    model: str | Model = DEFAULT_MODEL,
    *,
    method: str = DEFAULT_METHOD,
    class_name: str | int | None = None,
    rank: int | None = None,
    versus: str | int | None = None,
    layer: str | None = None,
    faithfulness: bool = False,
    resize: Resize | None = None,
    interpolation: Interpolation | None = None,
    workers: int | None = None,
) -> Iterator[Explanation | Unexplained]:
    """Say which pixels made the model decide; yield an answer for every input, in order.

    Args:
        inputs: files, folders, globs, URLs, "-" for stdin, or sources; read lazily.
        model: a name from the table of models, or an open model.
        method: a name from `CAM_METHODS`.
        class_name: label, id or number of the class to explain; default: the image's own best.
        rank: explain the class that takes this place in the image's scores, 1 for the best.
        versus: a class to hold it against: what speaks for the one and not for the other.
        layer: whose activations to look at; default: the last that have height and width.
        faithfulness: whether to measure how well the map tells which pixels matter.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.

    Yields:
        Explanations; for an image that cannot be explained, an `Unexplained`.

    Raises:
        ModelError: the model is unknown or cannot be run.
        UsageError: there is no such method, class or layer, or they do not go together.

    Example:
        >>> import imgcls
        >>> (explanation,) = imgcls.explain("sample_images/cat.jpg")
        >>> explanation.prediction.label, explanation.cam.shape
        ('tiger_cat', (300, 451))
    """
    options = ExplainOptions(
        method=method,
        class_name=class_name,
        rank=rank,
        versus=versus,
        layer=layer,
        faithfulness=faithfulness,
        resize=resize,
        interpolation=interpolation,
        workers=workers,
    )
    explainer = Explainer(model if isinstance(model, Model) else load_model(model), options)

    def work(chunk: list[Source]) -> list[Explanation | Unexplained]:
        return [explainer.explain(source) for source in chunk]

    return map_ordered(work, as_sources(inputs), workers=workers or usable_cores())


def heatmaps_of(
    model: Model, resize: Resize | None = None, interpolation: Interpolation | None = None
) -> Callable[[Source], Image.Image]:
    """Return what draws, on an image, the heatmap of the class that the model says it shows.

    What is returned raises ImageError where that fails.
    """
    explainer = Explainer(model, ExplainOptions(resize=resize, interpolation=interpolation))

    def draw(source: Source) -> Image.Image:
        explanation = explainer.explain(source)
        if isinstance(explanation, Unexplained):
            raise ImageError(explanation.error)
        try:
            return draw_overlay(explanation, alpha=EVIDENCE)
        except Exception as error:  # of whatever kind: the other images are drawn
            raise as_image_error(error) from error

    return draw


class Explainer:
    """Explains any number of images, from any number of threads.

    Raises:
        UsageError: the model has no such class or layer.
        WeightsError: Keras is needed, and the weights do not fit.
    """

    def __init__(self, model: Model, options: ExplainOptions) -> None:
        self.model = model
        self.options = options
        self._method = CAM_METHODS[options.method]
        self._preprocessing = adapt(model.preprocessing, options.resize, options.interpolation)
        self._column = self._find(options.class_name)
        self._versus = self._find(options.versus)
        if self._versus is not None and self._versus == self._column:
            raise UsageError(f"{options.versus}: a class cannot be held against itself")
        if options.rank is not None and options.rank > len(model.labels):
            raise UsageError(f"rank {options.rank}: {model.name} has {len(model.labels)} classes")
        default = model.network.spec.default_layer
        self._chosen = None if options.layer == default else options.layer
        self.layer = layer_of(model, options)
        self._keras = None
        if needs_keras(model, self._method, self._chosen):
            self._keras = keras_gradients(model, self._chosen)

    def explain(self, source: Source) -> Explanation | Unexplained:
        """Explain one image; say so if that fails."""
        try:
            return self._explain(source)
        except Exception as error:  # of whatever kind: the other images are explained
            return Unexplained(source.name, str(as_image_error(error)))

    def _explain(self, source: Source) -> Explanation:
        fitted, original = load_with_original(source, self._preprocessing)
        image = self._preprocessing.scale(fitted.pixels)
        chosen = None if self._chosen is None else self._keras
        forward = forward_pass(self.model, image, chosen)
        scores = softmax(forward.logits)
        check_finite(scores)
        column = self._choose(scores)
        cam = self._cam(forward, column)
        wanted = self.options.faithfulness and bool(cam.any())
        size = fitted.width, fitted.height
        return Explanation(
            path=source.name,
            model=self.model.name,
            method=self.options.method,
            layer=self.layer,
            prediction=self._prediction(scores, column),
            class_index=column,
            versus=None if self._versus is None else self._prediction(scores, self._versus),
            image=original,
            cam=upsample(cam, *size, self._preprocessing.canvas_box(*size)),
            seen=self._preprocessing.seen_box(*size),
            faithfulness=self._measure(fitted.pixels, cam, column) if wanted else None,
        )

    def _cam(self, forward: ForwardPass, column: int) -> Float32Array:
        direction = self._direction(column)
        inputs = MethodInputs(self.model, self._preprocessing, forward, direction, self._keras)
        needed = {name: getattr(inputs, name) for name in self._method.needs}
        return combine(self._method.function(**needed), forward.activations)

    def _measure(self, pixels: Uint8Image, cam: Float32Array, column: int) -> Faithfulness:
        scale = self._preprocessing.scale
        return measure_faithfulness(
            lambda images: run_scores(self.model, images, column),
            scale(pixels),
            grey_pixel(self._preprocessing),
            scale(blurred(pixels)),
            cam,
        )

    def _find(self, name: str | int | None) -> int | None:
        return None if name is None else find_class(self.model.labels, str(name))

    def _choose(self, scores: Float32Array) -> int:
        if self._column is not None:
            return self._column
        return int(np.argsort(-scores, kind="stable")[(self.options.rank or 1) - 1])

    def _direction(self, column: int) -> Float32Array:
        direction = np.zeros(len(self.model.labels), np.float32)
        direction[column] += 1
        if self._versus is not None:
            direction[self._versus] -= 1
        return direction

    def _prediction(self, scores: Float32Array, column: int) -> Prediction:
        rank = int(np.flatnonzero(np.argsort(-scores, kind="stable") == column)[0]) + 1
        label = self.model.labels[column]
        return Prediction(rank, label.class_id, label.label, float(scores[column]))


def layer_of(model: Model, options: ExplainOptions) -> str:
    """Return the name of the layer that is looked at; the model may be closed."""
    if not CAM_METHODS[options.method].reads_layer:
        return INPUT_LAYER
    return options.layer or model.network.spec.default_layer


def layers_of(model: str) -> tuple[dict[str, tuple[int, int, int]], str]:
    """Return the layers that a heatmap of a model may look at; no weights are read.

    Args:
        model: a name from the table of models, or the path of a model file.

    Returns:
        Name → (h, w, c) of its output, in the order of the network, and the name of the layer
        that heatmaps look at unless told otherwise.

    Raises:
        ModelError: there is no such model.
    """
    from imgcls.core.keras.spatial_layers import list_layers

    return list_layers(find_model(model, fetch=False).network.spec)


def keras_gradients(model: Model, layer: str | None = None) -> Gradients:
    """Return Keras' side of a model; see `Gradients`.

    Raises:
        UsageError: there is no such layer, or it has no height and width.
        WeightsError: the weights do not fit.
    """
    from imgcls.core.engines.keras_engine import keras_model
    from imgcls.core.keras.gradients import Gradients

    network = keras_model(model.engine, model.network)
    return Gradients(network, model.network.spec, model.head, layer)

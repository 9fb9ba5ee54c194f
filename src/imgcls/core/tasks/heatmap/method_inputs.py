"""What a heatmap method may ask about one image, computed when it asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.engines.model import Model
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.preprocessing import PAD_COLOR, Preprocessing, Uint8Image
from imgcls.core.tasks.heatmap.methods import CamMethod
from imgcls.core.tasks.heatmap.upsample import bilinear, upsample

if TYPE_CHECKING:
    from imgcls.core.keras.gradients import Gradients

# Images that one call of a thread runs, in methods that run many.
_CHUNK = 8


def needs_keras(model: Model, method: CamMethod, layer: str | None) -> bool:
    """Whether a method needs gradients that only Keras can give.

    Where global average pooling and then a classifier of imgcls or one dense layer follow the
    activations, the gradients are known without it: each place of a channel has the same, that
    of the channel's mean, over the number of places. Where a classifier of imgcls stands on all
    places, each has its own.
    """
    if layer is not None or "input_gradients" in method.needs:
        return True
    asks = {"gradients", "ablated_logits"} & set(method.needs)
    spec = model.network.spec
    known = spec.linear_head if model.head is None else not spec.features_layer
    return bool(asks) and not known


@dataclass(frozen=True)
class ForwardPass:
    """One image and what the network makes of it.

    Attributes:
        image: float32 (size, size, 3), preprocessed.
        activations: (h, w, c) of the layer.
        features: (d,); None if the layer was chosen, which leaves them to Keras.
        logits: (classes,).
    """

    image: Float32Array
    activations: Float32Array
    features: Float32Array | None
    logits: Float32Array


def forward_pass(model: Model, image: Float32Array, keras: Gradients | None) -> ForwardPass:
    """Run one preprocessed image (size, size, 3) through a model.

    Args:
        model: what runs it.
        image: float32.
        keras: Keras' side of the model, where the activations are those of a layer that the
            user chose, which only it knows.
    """
    batch = image[np.newaxis]
    if keras is not None:
        activations, logits = keras.activations(batch)
        return ForwardPass(image, activations, None, logits)
    outputs = model.engine.run(batch, ("activations", "features", "logits"))
    activations, features, logits = (output[0] for output in outputs)
    if model.head is not None:
        logits = model.head.logits(features[np.newaxis])[0]
    return ForwardPass(image, activations, features, logits)


@dataclass(frozen=True)
class MethodInputs:
    """What `imgcls.core.tasks.heatmap.methods` may ask about one image and one class.

    Attributes:
        model: what is asked.
        preprocessing: how the image was made the network's input.
        forward: the image's forward pass.
        direction: (classes,); the logit in question is `logits @ direction`.
        keras: Keras' side of the model, if it is needed.
    """

    model: Model
    preprocessing: Preprocessing
    forward: ForwardPass
    direction: Float32Array
    keras: Gradients | None

    @property
    def image(self) -> Float32Array:
        """The image, (size, size, 3), preprocessed."""
        return self.forward.image

    @property
    def activations(self) -> Float32Array:
        """The activations of the layer, (h, w, c)."""
        return self.forward.activations

    @property
    def grey(self) -> Float32Array:
        """What stands for "nothing there", (3,)."""
        return grey_pixel(self.preprocessing)

    @property
    def logit(self) -> float:
        """The logit in question."""
        return float(self.forward.logits @ self.direction)

    @cached_property
    def gradients(self) -> Float32Array:
        """Its gradients with respect to the activations, (h, w, c)."""
        if self.keras is not None:
            return self.keras.of_layer(self.image[np.newaxis], self.direction)
        height, width, _ = self.activations.shape
        if self._all_places:
            return self._feature_gradient().reshape(self.activations.shape)
        of_channels = self._feature_gradient() / np.float32(height * width)
        return np.broadcast_to(of_channels, self.activations.shape)  # (c,) → (h, w, c)

    def ablated_logits(self) -> Float32Array:
        """Return the logit with each channel at zero in turn, (c,)."""
        if self.keras is not None:
            batches = self.keras.ablated(self.image[np.newaxis], self.activations)
            return np.concatenate([logits @ self.direction for logits in batches])
        features = self._features()
        if self.model.head is None:
            return np.float32(self.logit) - features * self._feature_gradient()
        if self._all_places:
            return np.array([self._without_channel(k) for k in range(self.activations.shape[-1])])
        ablated = np.where(np.eye(len(features), dtype=bool), np.float32(0), features)
        return self.model.head.logits(ablated) @ self.direction  # (c, c) → (c,)

    def masked_logits(self, masks: Iterable[Float32Array]) -> Float32Array:
        """Return the logit of the image behind each mask (h, w), (n,)."""
        size, grey = self.image.shape[0], self.grey
        images = (
            grey
            + upsample(mask, size, size, kernel=bilinear)[..., np.newaxis] * (self.image - grey)
            for mask in masks
        )
        return run_many(self.model, images) @ self.direction

    def input_gradients(self, batch: Float32Array) -> Float32Array:
        """Return the gradients with respect to each image (n, size, size, 3) of a batch."""
        if self.keras is None:
            raise ValueError("gradients with respect to the input need Keras")
        return self.keras.of_input(batch, self.direction)

    @property
    def _all_places(self) -> bool:
        """Whether the features are all places of the activations, and a head stands on them."""
        return self.model.head is not None and self.model.network.spec.flat_features

    def _without_channel(self, channel: int) -> np.float32:
        assert self.model.head is not None
        places = self._features().reshape(self.activations.shape).copy()
        places[..., channel] = 0
        logit: np.float32 = self.model.head.logits(places.reshape(1, -1))[0] @ self.direction
        return logit

    def _feature_gradient(self) -> Float32Array:
        if self.model.head is None:
            asked = np.flatnonzero(self.direction)
            return self.model.engine.classifier_kernel()[:, asked] @ self.direction[asked]
        return self.model.head.gradient(self._features(), self.direction)

    def _features(self) -> Float32Array:
        if self.forward.features is None:
            raise ValueError("features are not known for a layer of choice")
        return self.forward.features


def grey_pixel(preprocessing: Preprocessing) -> Float32Array:
    """Return what stands for "nothing there", a preprocessed middle grey, float32 (3,)."""
    return preprocessing.scale(np.array(PAD_COLOR, np.uint8))


def run_many(model: Model, images: Iterable[Float32Array]) -> Float32Array:
    """Return the logits (n, classes) of preprocessed images, made and run a few at a time."""

    def run(chunk: list[Float32Array]) -> list[Float32Array]:
        return list(model.logits(np.stack(chunk)))

    rows = map_ordered(run, images, workers=model.engine.parallel, chunk=_CHUNK)
    return np.stack(list(rows))


def run_scores(model: Model, images: Iterable[Float32Array], column: int) -> Float32Array:
    """Return one class's softmax scores (n,) of preprocessed images."""
    return softmax(run_many(model, images))[:, column]


def blurred(pixels: Uint8Image) -> Uint8Image:
    """Return pixels (size, size, 3) blurred until little can be told."""
    from PIL import Image, ImageFilter

    radius = pixels.shape[0] / 20
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))

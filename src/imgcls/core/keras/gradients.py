"""Gradients of logits by Keras: with respect to any layer, or to the input."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import UsageError
from imgcls.core.keras.graph import cam_activations, cut_top, with_outputs
from imgcls.core.keras.spatial_layers import spatial_shapes
from imgcls.core.keras.start import import_keras
from imgcls.core.models.head import Head
from imgcls.core.models.spec import ModelSpec

# Ablated activations that are run at once.
_BATCH = 32


class Gradients:
    """Differentiates a model's logits; one call at a time, on all cores.

    Args:
        network: the Keras model, with its weights; it gives logits.
        spec: its row.
        head: the classifier on its features that takes the place of its own; None if its own
            is meant.
        layer: the layer whose activations are meant; None for the row's `cam_layer`.

    Raises:
        UsageError: there is no such layer, or it has no height and width.
    """

    def __init__(
        self, network: Any, spec: ModelSpec, head: Head | None = None, layer: str | None = None
    ) -> None:
        keras = import_keras()
        import tensorflow as tf

        self._tf, self._head, self._lock = tf, head, threading.Lock()
        outputs = with_outputs(network, spec)
        tensor = _layer_output(network, spec, layer)
        self._image, self._tensor, self._ends = outputs.inputs[0], tensor, outputs.outputs[:2]
        whole = keras.Model(self._image, [tensor, *self._ends])
        classes = tf.TensorSpec([None], tf.float32)
        images = tf.TensorSpec(self._image.shape, tf.float32)

        def layer_gradients(batch: Any, direction: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(batch)
                activations, *ends = whole(batch, training=False)
                contrast = self._contrast(ends, direction)
            # A layer that does not lead to the logits has no gradient: nothing speaks there.
            return tape.gradient(contrast, activations, unconnected_gradients="zero")

        def input_gradients(batch: Any, direction: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(batch)
                contrast = self._contrast(whole(batch, training=False)[1:], direction)
            return tape.gradient(contrast, batch)

        self._layer_gradients = tf.function(layer_gradients, [images, classes])
        self._input_gradients = tf.function(input_gradients, [images, classes])

    def activations(self, image: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Return the layer's activations (h, w, c) and the logits (classes,) of one image.

        Args:
            image: float32 (1, h, w, 3), preprocessed.
        """
        with self._lock:
            activations, *ends = self._forward(self._tf.constant(image))
            logits = np.asarray(self._logits(ends), np.float32)
            return np.asarray(activations, np.float32)[0], logits[0]

    def of_layer(self, image: Float32Array, direction: Float32Array) -> Float32Array:
        """Differentiate `logits @ direction` with respect to the layer's activations.

        Args:
            image: float32 (1, h, w, 3), preprocessed.
            direction: float32 (classes,).

        Returns:
            float32 (h, w, c).
        """
        with self._lock:
            gradients: Float32Array = np.asarray(self._layer_gradients(image, direction))[0]
            return gradients

    def of_input(self, batch: Float32Array, direction: Float32Array) -> Float32Array:
        """Differentiate `logits @ direction` of each image with respect to its own pixels.

        Args:
            batch: float32 (n, h, w, 3), preprocessed.
            direction: float32 (classes,).

        Returns:
            float32 (n, h, w, 3).
        """
        with self._lock:
            return np.asarray(self._input_gradients(batch, direction))

    def ablated(self, image: Float32Array, activations: Float32Array) -> Iterator[Float32Array]:
        """Yield the logits (n, classes) with one channel of the layer after the other at zero.

        Args:
            image: float32 (1, h, w, 3), preprocessed.
            activations: the layer's, (h, w, c).
        """
        channels = activations.shape[-1]
        for start in range(0, channels, _BATCH):
            indices = np.arange(start, min(start + _BATCH, channels))
            batch = np.repeat(activations[np.newaxis], len(indices), axis=0)
            batch[np.arange(len(indices)), :, :, indices] = 0
            with self._lock:
                yield np.asarray(self._rest(np.repeat(image, len(indices), axis=0), batch))

    @cached_property
    def _forward(self) -> Any:
        whole = import_keras().Model(self._image, [self._tensor, *self._ends])
        return self._tf.function(lambda batch: whole(batch, training=False))

    @cached_property
    def _rest(self) -> Any:
        """The network from the layer on: (images, activations) → logits."""
        keras = import_keras()
        try:
            rest = keras.Model(self._tensor, self._ends)
            return self._tf.function(lambda _, batch: self._logits(rest(batch, training=False)))
        except ValueError:  # a shortcut leads around the layer, so the image is needed, too
            rest = keras.Model([self._image, self._tensor], self._ends)
            return self._tf.function(
                lambda images, batch: self._logits(rest([images, batch], training=False))
            )

    def _contrast(self, ends: Any, direction: Any) -> Any:
        return self._tf.linalg.matvec(self._logits(ends), direction)

    def _logits(self, ends: Any) -> Any:
        logits, features = ends
        if self._head is None:
            return logits
        *hidden, (kernel, bias) = self._head.layers
        for inner_kernel, inner_bias in hidden:
            features = self._tf.nn.relu(features @ inner_kernel + inner_bias)
        return features @ kernel + bias


def _layer_output(network: Any, spec: ModelSpec, layer: str | None) -> Any:
    if layer is None:
        return cam_activations(network, spec)
    drawable = spatial_shapes(cut_top(network, spec) if spec.ends_in_features else network)
    if layer not in drawable:
        near = " or ".join(difflib.get_close_matches(layer, drawable, n=3, cutoff=0))
        known = any(other.name == layer for other in network.layers)
        what = "has no height and width" if known else "no such layer"
        none_has = "leave out `layer`, since no layer of this network has height and width"
        raise UsageError(f"{layer}: {what}; {f'did you mean {near}?' if near else none_has}")
    return network.get_layer(layer).output

"""What every layer of a Keras model answers to an image, in one pass."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import UsageError
from imgcls.core.keras.graph import layer_output
from imgcls.core.keras.spatial_layers import spatial_shapes
from imgcls.core.keras.start import import_keras


class LayerOutputs:
    """Runs a Keras model once and returns the outputs of the layers that were asked for.

    Args:
        network: the Keras model, with its weights.
        names: the layers; empty for all that have height and width.
        first: only so many of them, in the order of the network; None for all.

    Raises:
        UsageError: there is no such layer, it gives more than one array, or none is named and
            none has height and width.
    """

    def __init__(self, network: Any, names: Sequence[str] = (), first: int | None = None) -> None:
        import_keras()
        import keras
        import tensorflow as tf

        self.names = tuple(names or spatial_shapes(network))[:first]
        if not self.names:
            raise UsageError(
                "the network has no layer with height and width; name others with `layers`"
            )
        self._lock = threading.Lock()
        model = keras.Model(network.inputs, [layer_output(network, name) for name in self.names])
        images = tf.TensorSpec([None, *network.inputs[0].shape[1:]], tf.float32)
        # Keras gives a list of one output without the list.
        self._run = tf.function(
            lambda batch: tf.nest.flatten(model(batch, training=False)), [images]
        )

    def run(self, image: Float32Array) -> dict[str, Float32Array]:
        """Return the activations of one image, by layer, in the order of `names`.

        Args:
            image: float32 (h, w, 3), preprocessed.

        Returns:
            float32 (h, w, c) of each layer, or (d,) of one without height and width.
        """
        with self._lock:
            outputs = self._run(image[np.newaxis])
        arrays = (np.asarray(output, np.float32)[0] for output in outputs)
        return dict(zip(self.names, arrays, strict=True))

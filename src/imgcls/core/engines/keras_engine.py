"""The engine that runs a network with Keras."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from imgcls.core.arrays import OUTPUTS, Float32Array, Output
from imgcls.core.engines.engine import Engine
from imgcls.core.keras.build import build_weighted
from imgcls.core.keras.graph import classifier_kernel, with_outputs
from imgcls.core.keras.start import import_keras
from imgcls.core.models.weights import Network


def keras_model(engine: Engine, network: Network) -> Any:
    """Return a network's Keras model with its weights: what the engine runs, else built anew.

    Raises:
        WeightsError: the weights do not fit.
    """
    return engine.model if isinstance(engine, KerasEngine) else build_weighted(network)


class KerasEngine:
    """Runs a network with Keras, in batches, one call at a time on all cores."""

    name = "keras"
    batch_size = 16
    one_by_one = False
    parallel = 1

    def __init__(self, network: Network) -> None:
        self.model = build_weighted(network)
        self._outputs = with_outputs(self.model, network.spec)
        self._functions: dict[tuple[Output, ...], Any] = {}
        self._lock = threading.Lock()

    def run(self, batch: Float32Array, outputs: tuple[Output, ...]) -> list[Float32Array]:
        """Run the network; see `Engine.run`."""
        with self._lock:
            function = self._functions.get(outputs)
            if function is None:
                function = self._functions[outputs] = self._compile(outputs)
            return [np.asarray(result, np.float32) for result in function(batch)]

    def classifier_kernel(self) -> Float32Array:
        """Return the network's linear classifier; see `Engine.classifier_kernel`."""
        return classifier_kernel(self.model)

    def _compile(self, outputs: tuple[Output, ...]) -> Any:
        keras = import_keras()
        import tensorflow as tf

        chosen = [self._outputs.outputs[OUTPUTS.index(output)] for output in outputs]
        model = keras.Model(self._outputs.input, chosen)
        signature = tf.TensorSpec([None, *model.inputs[0].shape[1:]], tf.float32)
        # Keras gives a list of one output without the list.
        return tf.function(lambda batch: tf.nest.flatten(model(batch, training=False)), [signature])

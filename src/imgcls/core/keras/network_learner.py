"""Train a network with Keras: the last layers of a backbone, or a small network from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.keras.build import build_network, build_weighted
from imgcls.core.keras.graph import cut_top
from imgcls.core.keras.start import import_keras
from imgcls.core.keras.stored_backbone import weight_layers
from imgcls.core.models.head import Head, Standardization
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.weights import Network


def weighted_backbone(network: Network) -> Any:
    """Build a network without its top, with its weights.

    Raises:
        WeightsError: the weights do not fit.
    """
    return cut_top(build_weighted(network), network.spec)


def fresh_backbone(spec: ModelSpec, seed: int) -> Any:
    """Build a network that has learned nothing; kernels by He et al. 2015, biases 0."""
    backbone = cut_top(build_network(spec), spec)
    random = np.random.default_rng(seed)
    for layer in weight_layers(backbone):
        shape = tuple(layer.kernel.shape)  # (h, w, in, out)
        deviation = (2 / np.prod(shape[:-1])) ** 0.5
        layer.set_weights([random.normal(0, deviation, shape), np.zeros(shape[-1])])
    return backbone


def last_layers(backbone: Any, count: int | None) -> list[Any]:
    """Return the last layers that can be trained, counted from the output.

    Only layers with weights count; those of batch normalization never do, since the statistics
    of a small set would spoil them.

    Args:
        backbone: a network without its top.
        count: how many; None for all.
    """
    normalization = import_keras().layers.BatchNormalization
    layers = [
        layer
        for layer in weight_layers(backbone)
        if layer.trainable_variables and not isinstance(layer, normalization)
    ]
    return layers if count is None else layers[max(0, len(layers) - count) :]


class NetworkLearner:
    """A backbone and a head that learn together by Adam (Kingma and Ba 2015).

    The backbone runs as in inference: batch normalization keeps its statistics.
    """

    def __init__(
        self,
        backbone: Any,
        head: Head,
        standardization: Standardization,
        *,
        layers: int | None,
        learning_rate: float,
        dropout: float,
        seed: int,
    ) -> None:
        """Begin with a backbone and a head.

        Args:
            backbone: float32 (n, h, w, 3) → features (n, d).
            head: on the features.
            standardization: of the features, for the head.
            layers: how many of the last layers learn; None for all.
            learning_rate: of a step.
            dropout: part of the head's hidden units that is left out in a step.
            seed: of what is left out.
        """
        keras = import_keras()
        import tensorflow as tf

        self.backbone = backbone
        self._standardization = standardization
        self._seed, self._epoch, self._step = seed, 0, 0
        self._dropout = dropout
        self._head = [
            keras.Variable(array, dtype="float32")
            for layer in head.standardized(standardization)
            for array in layer
        ]
        learning = last_layers(backbone, layers)
        self._variables = [v for layer in learning for v in layer.trainable_variables] + self._head
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build(self._variables)
        images = tf.TensorSpec([None, *backbone.inputs[0].shape[1:]], tf.float32)
        columns, weights = tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32)
        seeds = tf.TensorSpec([2], tf.int64)
        self._logits = tf.function(lambda batch: self._forward(batch, None), [images])
        self._features = tf.function(lambda batch: self.backbone(batch, training=False), [images])
        self._learn = tf.function(self._one_step, [images, columns, weights, seeds])

    def begin_epoch(self, epoch: int) -> None:
        """Draw this epoch's random numbers from its own seed."""
        self._epoch, self._step = epoch, 0

    def learn(
        self, inputs: Float32Array, columns: np.ndarray, weights: Float32Array
    ) -> Float32Array:
        """Take one step on a batch.

        Args:
            inputs: preprocessed images (n, h, w, 3).
            columns: the right class of each (n,).
            weights: how much each counts (n,).

        Returns:
            The logits (n, classes) before the step.

        Raises:
            MemoryError: the batch is too large.
        """
        self._step += 1
        seeds = np.array([self._seed, self._epoch * 1_000_003 + self._step], np.int64)
        return _within_memory(self._learn, inputs, columns, weights, seeds)

    def logits(self, inputs: Float32Array) -> Float32Array:
        """Return the logits (n, classes) of preprocessed images.

        Raises:
            MemoryError: the batch is too large.
        """
        return _within_memory(self._logits, inputs)

    def features(self, inputs: Float32Array) -> Float32Array:
        """Return the features (n, d) of preprocessed images.

        Raises:
            MemoryError: the batch is too large.
        """
        return _within_memory(self._features, inputs)

    def head(self) -> Head:
        """Return the head as it is now, on features as they are."""
        arrays = [_array(variable) for variable in self._head]
        layers = list(zip(arrays[::2], arrays[1::2], strict=True))
        return Head.of_standardized(layers, self._standardization)

    def weights(self) -> dict[str, np.ndarray]:
        """Return copies of what is learned."""
        return {f"weight.{i}": _array(v) for i, v in enumerate(self._variables)}

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take over what `weights` returned."""
        for i, variable in enumerate(self._variables):
            variable.assign(weights[f"weight.{i}"])

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all that the next step depends on."""
        slots = enumerate(self._optimizer.variables)
        return self.weights() | {f"optimizer.{i}": _array(v) for i, v in slots}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned."""
        self.set_weights(state)
        for i, variable in enumerate(self._optimizer.variables):
            variable.assign(state[f"optimizer.{i}"])

    def _forward(self, batch: Any, seeds: Any) -> Any:
        import tensorflow as tf

        x = self._standardization.apply(self.backbone(batch, training=False))
        layers = list(zip(self._head[::2], self._head[1::2], strict=True))
        for kernel, bias in layers[:-1]:
            x = tf.nn.relu(x @ kernel.value + bias.value)
            if seeds is not None and self._dropout:
                x = tf.nn.experimental.stateless_dropout(x, self._dropout, seeds)
        kernel, bias = layers[-1]
        return x @ kernel.value + bias.value

    def _one_step(self, batch: Any, columns: Any, weights: Any, seeds: Any) -> Any:
        import tensorflow as tf

        # Watching no more than what learns keeps the rest of the backbone out of the gradient.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in self._variables])
            logits = self._forward(batch, seeds)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(columns, logits)
            loss = tf.reduce_mean(losses * weights)
        gradients = tape.gradient(loss, [variable.value for variable in self._variables])
        self._optimizer.apply(gradients, self._variables)
        return logits


def _within_memory(function: Any, *arrays: np.ndarray) -> Float32Array:
    import tensorflow as tf

    try:
        return np.asarray(function(*arrays), np.float32)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(str(error)) from error


def _array(variable: Any) -> np.ndarray:
    """Return a copy of a Keras variable, of a type that a checkpoint holds."""
    array: np.ndarray = import_keras().ops.convert_to_numpy(variable)
    return array.astype(np.float32 if array.dtype.kind == "f" else np.int64)

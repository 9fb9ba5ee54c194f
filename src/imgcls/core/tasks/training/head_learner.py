"""Train a head on features with numpy: no TensorFlow, and milliseconds an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.models.head import Head, Standardization

MLP_UNITS = 256
MLP_DROPOUT = 0.5
_BETAS = (0.9, 0.999)
_EPSILON = 1e-8
_WEIGHT_DECAY = 1e-2


class HeadLearner:
    """Dense layers that learn by AdamW (Loshchilov and Hutter 2019, arxiv.org/abs/1711.05101).

    Features are standardized on the way in, so that one learning rate suits every backbone.
    """

    def __init__(
        self,
        head: Head,
        standardization: Standardization,
        *,
        learning_rate: float,
        dropout: float,
        seed: int,
    ) -> None:
        """Begin with a head.

        Args:
            head: on features as they are.
            standardization: of the features.
            learning_rate: of a step.
            dropout: part of the hidden units that is left out in a step.
            seed: of what is left out.
        """
        self._standardization = standardization
        self._learning_rate, self._dropout, self._seed = learning_rate, dropout, seed
        self._random = np.random.default_rng(seed)
        self._steps = 0
        self._weights = [a.copy() for layer in head.standardized(standardization) for a in layer]
        self._means = [np.zeros_like(array) for array in self._weights]
        self._squares = [np.zeros_like(array) for array in self._weights]

    def begin_epoch(self, epoch: int) -> None:
        """Draw this epoch's random numbers from its own seed."""
        self._random = np.random.default_rng((self._seed, epoch))

    def learn(
        self, inputs: Float32Array, columns: np.ndarray, weights: Float32Array
    ) -> Float32Array:
        """Take one step on a batch.

        Args:
            inputs: features (n, d).
            columns: the right class of each (n,).
            weights: how much each counts (n,).

        Returns:
            The logits (n, classes) before the step.
        """
        activations: list[Float32Array] = [self._standardization.apply(inputs)]
        masks: list[Float32Array] = []
        for kernel, bias in self._layers()[:-1]:
            hidden = np.maximum(activations[-1] @ kernel + bias, 0)
            kept = self._random.random(hidden.shape, np.float32) >= self._dropout
            mask = (kept / (1 - self._dropout)).astype(np.float32)
            masks.append(mask * (hidden > 0))
            activations.append(hidden * mask)
        kernel, bias = self._layers()[-1]
        logits: Float32Array = activations[-1] @ kernel + bias
        error = softmax(logits)
        error[np.arange(len(columns)), columns] -= 1
        error *= (weights / len(columns))[:, np.newaxis]
        self._step(_gradients(self._layers(), activations, masks, error))
        return logits

    def logits(self, inputs: Float32Array) -> Float32Array:
        """Return the logits (n, classes) of features (n, d)."""
        return self.head().logits(inputs)

    def head(self) -> Head:
        """Return the head as it is now, on features as they are."""
        return Head.of_standardized(self._layers(), self._standardization)

    def weights(self) -> dict[str, np.ndarray]:
        """Return copies of what is learned."""
        return {f"weight.{i}": array.copy() for i, array in enumerate(self._weights)}

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take over what `weights` returned."""
        for i, array in enumerate(self._weights):
            array[...] = weights[f"weight.{i}"]

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all that the next step depends on."""
        slots = {f"mean.{i}": array.copy() for i, array in enumerate(self._means)}
        slots |= {f"square.{i}": array.copy() for i, array in enumerate(self._squares)}
        return self.weights() | slots | {"steps": np.array([self._steps], np.int64)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned."""
        self.set_weights(state)
        self._steps = int(state["steps"][0])
        for i in range(len(self._weights)):
            self._means[i][...] = state[f"mean.{i}"]
            self._squares[i][...] = state[f"square.{i}"]

    def _layers(self) -> list[tuple[Float32Array, Float32Array]]:
        return list(zip(self._weights[::2], self._weights[1::2], strict=True))

    def _step(self, gradients: Sequence[Float32Array]) -> None:
        self._steps += 1
        first, second = _BETAS
        rate = self._learning_rate * (1 - second**self._steps) ** 0.5 / (1 - first**self._steps)
        slots = zip(self._weights, self._means, self._squares, gradients, strict=True)
        for weight, mean, square, gradient in slots:
            if weight.ndim == 2:
                weight *= np.float32(1 - self._learning_rate * _WEIGHT_DECAY)
            mean += np.float32(1 - first) * (gradient - mean)
            square += np.float32(1 - second) * (gradient * gradient - square)
            weight -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(_EPSILON))


def _gradients(
    layers: Sequence[tuple[Float32Array, Float32Array]],
    activations: Sequence[Float32Array],
    masks: Sequence[Float32Array],
    error: Float32Array,
) -> list[Float32Array]:
    """Return the gradients of kernels and biases, first layer first, by back propagation."""
    gradients: list[Float32Array] = []
    for position in range(len(layers) - 1, -1, -1):
        gradients[:0] = [activations[position].T @ error, error.sum(axis=0)]
        if position:
            error = error @ layers[position][0].T * masks[position - 1]
    return gradients


def fresh_head(widths: Sequence[int], seed: int) -> Head:
    """Return a head that has learned nothing: hidden layers by He et al. 2015, logits of 0.

    Its features are to have a mean of 0 and a deviation of 1.
    """
    random = np.random.default_rng(seed)
    layers = []
    for position, (before, after) in enumerate(pairwise(widths)):
        last = position == len(widths) - 2
        scale = np.float32(0.0 if last else (2 / before) ** 0.5)
        kernel = random.normal(0, 1, (before, after)).astype(np.float32) * scale
        layers.append((kernel, np.zeros(after, np.float32)))
    return Head(tuple(layers))

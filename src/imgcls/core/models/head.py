"""The classifier on a backbone's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import ModelError


@dataclass(frozen=True)
class Standardization:
    """What gives features a mean of 0 and a deviation of 1: (features − mean) / deviation.

    Attributes:
        mean: of the features, float32 (d,).
        deviation: of the features, float32 (d,), above 0.
    """

    mean: Float32Array
    deviation: Float32Array

    @classmethod
    def of(cls, features: Float32Array) -> Standardization:
        """Return that of features (n, d).

        A feature that hardly varies counts as one with a hundredth of the mean deviation, so
        that noise in it is not blown up.
        """
        deviation = features.std(axis=0)
        least = np.float32(0.01) * deviation.mean()
        deviation = np.maximum(deviation, least if least > 0 else np.float32(1))
        return cls(features.mean(axis=0), deviation)

    @classmethod
    def none(cls, width: int) -> Standardization:
        """Return the one that leaves features (n, width) as they are."""
        return cls(np.zeros(width, np.float32), np.ones(width, np.float32))

    def apply(self, features: Float32Array) -> Float32Array:
        """Return standardized features (n, d)."""
        standardized: Float32Array = (features - self.mean) / self.deviation
        return standardized


@dataclass(frozen=True)
class Head:
    """Dense layers with ReLU between them.

    Attributes:
        layers: (kernel (d_in, d_out), bias (d_out,)) of each layer, float32; one for a linear
            head.
    """

    layers: tuple[tuple[Float32Array, Float32Array], ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """The width of the features, of what is between the layers, and of the logits."""
        kernels = [kernel for kernel, _ in self.layers]
        return (*(kernel.shape[0] for kernel in kernels), kernels[-1].shape[1])

    def standardized(
        self, standardization: Standardization
    ) -> tuple[tuple[Float32Array, Float32Array], ...]:
        """Return the layers of the same head on standardized features."""
        (kernel, bias), *rest = self.layers
        mean, deviation = standardization.mean, standardization.deviation
        return ((kernel * deviation[:, np.newaxis], bias + mean @ kernel), *rest)

    @staticmethod
    def of_standardized(
        layers: Sequence[tuple[Float32Array, Float32Array]], standardization: Standardization
    ) -> Head:
        """Return the head on features as they are, whose layers on standardized ones are given."""
        (kernel, bias), *rest = layers
        kernel = kernel / standardization.deviation[:, np.newaxis]
        bias = bias - standardization.mean @ kernel
        first = (kernel.astype(np.float32), bias.astype(np.float32))
        return Head((first, *((kernel.copy(), bias.copy()) for kernel, bias in rest)))

    def tempered(self, temperature: float) -> Head:
        """Return the head whose logits are those of this one, divided by a temperature above 0."""
        *hidden, (kernel, bias) = self.layers
        scale = np.float32(1 / temperature)
        return Head((*hidden, (kernel * scale, bias * scale)))

    def logits(self, features: Float32Array) -> Float32Array:
        """Return the logits (n, classes) of features (n, d).

        Raises:
            ModelError: the features are of another width than the head's.
        """
        if features.shape[-1] != self.widths[0]:
            raise ModelError(
                f"the head takes {self.widths[0]} features, the network gives "
                f"{features.shape[-1]}; the model file is not for this network"
            )
        *hidden, (kernel, bias) = self.layers
        for inner_kernel, inner_bias in hidden:
            features = np.maximum(features @ inner_kernel + inner_bias, np.float32(0))
        logits: Float32Array = features @ kernel + bias
        return logits

    def gradient(self, features: Float32Array, direction: Float32Array) -> Float32Array:
        """Differentiate `logits @ direction` with respect to the features of one image.

        Args:
            features: (d,).
            direction: (classes,); 1 at a class and 0 elsewhere gives the gradient of its logit.

        Returns:
            (d,), by the chain rule through the layers from the last to the first.
        """
        outputs = []
        for kernel, bias in self.layers[:-1]:
            features = np.maximum(features @ kernel + bias, np.float32(0))
            outputs.append(features)
        gradient: Float32Array = self.layers[-1][0] @ direction
        for (kernel, _), output in zip(self.layers[-2::-1], outputs[::-1], strict=True):
            gradient = kernel @ (gradient * (output > 0))
        return gradient

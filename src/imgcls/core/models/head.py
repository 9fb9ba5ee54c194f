"""The classifier on a backbone's features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """Dense layers with ReLU between them.

    Attributes:
        layers: (kernel (d_in, d_out), bias (d_out,)) of each layer, float32; one for a linear
            head.
    """

    layers: tuple[tuple[Float32Array, Float32Array], ...]

    def logits(self, features: Float32Array) -> Float32Array:
        """Return the logits (n, classes) of features (n, d)."""
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

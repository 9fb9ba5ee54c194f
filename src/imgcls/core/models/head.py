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

"""Arrays that pass between modules: their type, their names, softmax."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]


Output = Literal["logits", "features", "activations"]


OUTPUTS: tuple[Output, ...] = get_args(Output)


def softmax(logits: Float32Array) -> Float32Array:
    """Turn logits (…, classes) into scores that add up to 1 along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scores: Float32Array = powers / powers.sum(axis=-1, keepdims=True)
    return scores

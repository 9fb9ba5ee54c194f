"""The classifier's kernel that goes with a compiled model, for heatmaps without gradients."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.engines.model import Model, load_model


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


def test_features_times_kernel_are_the_logits(model: Model) -> None:
    kernel = model.engine.classifier_kernel()
    assert (kernel.shape, kernel.dtype) == ((1280, 1000), np.float32)
    noise = np.random.default_rng(0).normal(size=(2, 224, 224, 3)).astype(np.float32)
    features, logits = model.engine.run(noise, ("features", "logits"))
    # The bias falls out of the difference of two images.
    expected = logits[0] - logits[1]
    np.testing.assert_allclose((features[0] - features[1]) @ kernel, expected, atol=1e-3)

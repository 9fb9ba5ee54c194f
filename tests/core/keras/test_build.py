"""Rows of the table become Keras models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgcls.core.errors import WeightsError
from imgcls.core.keras.build import build_network, build_weighted
from imgcls.core.models.table import MODELS, SCRATCH_MODELS
from imgcls.core.models.weights import Network


def test_a_network_of_the_table_gives_logits() -> None:
    spec = MODELS["mobilenet"]
    network = build_network(spec)
    assert network.input_shape == (None, 224, 224, 3)
    assert network.output_shape == (None, 1000)
    assert network.count_params() == spec.parameters
    logits = np.asarray(network(np.zeros((1, 224, 224, 3), np.float32), training=False))
    assert abs(logits.sum() - 1) > 1e-3  # no softmax


def test_lite_networks_are_built_here() -> None:
    spec = MODELS["efficientnet-lite1"]
    network = build_network(spec)
    assert network.input_shape == (None, 240, 240, 3)
    assert network.count_params() == spec.parameters
    assert network.get_layer(spec.cam_layer).output.shape == (None, 8, 8, 1280)


def test_a_network_that_is_trained_from_scratch_ends_in_features() -> None:
    network = build_network(SCRATCH_MODELS["simple-cnn"])
    assert network.output_shape == (None, 16 * 16 * 64)
    assert network.get_layer("conv3").output.shape == (None, 32, 32, 64)


def test_weights_are_checked_before_anything_is_built(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.full(3, np.nan, np.float32)
    # Of a network that takes half a minute and gigabytes to build.
    network = Network("convnext-xlarge", MODELS["convnext-xlarge"], path)
    with pytest.raises(WeightsError, match="a holds numbers that are not finite"):
        build_weighted(network)

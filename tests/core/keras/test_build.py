"""Rows of the table become Keras models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.errors import WeightsError
from imgcls.core.keras.build import build_network, build_weighted
from imgcls.core.keras.graph import cut_top, with_outputs
from imgcls.core.keras.start import import_keras
from imgcls.core.models.backbones import BACKBONES, SCRATCH_MODELS
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.table import MODELS
from imgcls.core.models.variant import Variant, varied
from imgcls.core.models.weights import Network

OF_KERAS = [name for name, row in MODELS.items() if row.builder != "EfficientNetLite"]


def built_without_memory(spec: ModelSpec) -> Any:
    keras = import_keras()
    with keras.StatelessScope(initialize_variables=False):
        network = build_network(spec)
    keras.backend.clear_session()  # forgets the variables that were never allocated
    return network


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


def test_a_network_that_is_trained_from_scratch_ends_in_its_last_map() -> None:
    network = build_network(SCRATCH_MODELS["simple-cnn"])
    assert network.output_shape == (None, 16, 16, 64)
    assert network.get_layer("conv3").output.shape == (None, 32, 32, 64)


def test_the_dense_top_of_vgg_is_built_only_where_it_fits_and_is_needed() -> None:
    row = MODELS["vgg16"]
    names = [layer.name for layer in built_without_memory(varied("vgg16", row, Variant(64))).layers]
    assert names[-1] == "block5_pool"
    dense = varied("vgg16", row, Variant(features="fc2"))
    assert "fc2" in [layer.name for layer in built_without_memory(dense).layers]


@pytest.mark.parametrize("name", OF_KERAS)
def test_the_table_knows_the_least_size_that_keras_builds(name: str) -> None:
    row = MODELS[name]
    small = row._replace(preprocessing=row.preprocessing.for_size(row.least_size - 1))
    with pytest.raises(ValueError, match=f"must be at least {row.least_size}x{row.least_size}"):
        built_without_memory(small)


@pytest.mark.slow
@pytest.mark.parametrize("size", [None, 101])
@pytest.mark.parametrize("name", ["nasnet-mobile", "inception-v3", "convnext-tiny", "simple-cnn"])
def test_networks_at_their_least_size_and_at_an_odd_one(name: str, size: int | None) -> None:
    row = BACKBONES[name]
    for features in ("avg", "flatten"):
        spec = varied(name, row, Variant(size or row.least_size, features))
        keras = import_keras()
        with keras.StatelessScope(initialize_variables=False):
            outputs = with_outputs(cut_top(build_network(spec), spec), spec).outputs
        keras.backend.clear_session()
        numbers, (height, width, channels) = outputs[1].shape[1], outputs[2].shape[1:]
        if name == "simple-cnn":  # whose features come behind one more pooling
            height, width = height // 2, width // 2
        assert numbers == (height * width * channels if features == "flatten" else channels)


def test_weights_are_checked_before_anything_is_built(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.full(3, np.nan, np.float32)
    # Of a network that takes half a minute and gigabytes to build.
    network = Network("convnext-xlarge", MODELS["convnext-xlarge"], path)
    with pytest.raises(WeightsError, match="a holds numbers that are not finite"):
        build_weighted(network)

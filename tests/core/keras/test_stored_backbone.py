"""A backbone's weights under the names that they have in a model file."""

from __future__ import annotations

import numpy as np

from imgcls.core.keras.build import build_network
from imgcls.core.keras.graph import cut_top
from imgcls.core.keras.stored_backbone import backbone_tensors, backbone_variables, weight_layers
from imgcls.core.models.backbones import SCRATCH_MODELS
from imgcls.core.models.table import MODELS


def test_names_are_positions() -> None:
    spec = SCRATCH_MODELS["simple-cnn"]
    backbone = cut_top(build_network(spec), spec)
    assert [layer.name for layer in weight_layers(backbone)] == ["conv1", "conv2", "conv3"]
    tensors = backbone_tensors(backbone, spec)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        "backbone.000.0": (3, 3, 3, 32),
        "backbone.000.1": (32,),
        "backbone.001.0": (3, 3, 32, 32),
        "backbone.001.1": (32,),
        "backbone.002.0": (3, 3, 32, 64),
        "backbone.002.1": (64,),
    }
    assert all(tensor.dtype == np.float32 for tensor in tensors.values())


def test_two_networks_of_one_row_have_the_same_names() -> None:
    """Whatever Keras called their layers."""
    spec = MODELS["mobilenet-v3-small"]
    one, other = (cut_top(build_network(spec), spec) for _ in range(2))
    variables = backbone_variables(one, None)
    for name, variable in backbone_variables(other, None).items():
        assert variables[name].shape == variable.shape
    assert len(variables) == sum(len(layer.weights) for layer in one.layers)

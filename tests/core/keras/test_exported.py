"""What a network is exported as: scores come out, with Keras' own layers only."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from imgcls.core.keras.build import build_network
from imgcls.core.keras.exported import ImageInput, exported_model
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import Network


@pytest.mark.parametrize("name", ["efficientnet-lite0"])
def test_layers_keep_their_names(name: str) -> None:
    model = build_network(MODELS[name])
    names = [layer.name for layer in model.layers]
    network = Network(name, MODELS[name], Path("none"))
    image = ImageInput("lite", is_uint8=True)
    made = exported_model(model, network, None, image)
    assert [layer.name for layer in made.layers][2:] == names[1:]
    assert made.layers[1].name == "pixel_scaling"
    assert str(made.inputs[0].dtype) == "uint8"
    pixels = np.zeros((1, 224, 224, 3), np.uint8)
    assert float(keras.ops.sum(made(pixels))) == pytest.approx(1, abs=1e-5)

"""What a network is exported as: scores come out, with Keras' own layers only."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from imgcls.core.keras.build import build_network
from imgcls.core.keras.exported import ImageInput, exported_model, run_keras, save_keras
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import Network


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_private_layers_of_keras_applications_become_plain_ones(
    ending: str, tmp_path: Path
) -> None:
    from keras.src.applications.convnext import LayerScale
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="conv")(image)
    x = LayerScale(0.3, 4, name="scale")(x)
    x = CustomScaleLayer(0.17, name="part")([x, keras.layers.ReLU(name="relu")(x)])
    x = (x + 3.0) * 0.5  # as in MobileNetV3; and in ConvNeXt two lines on
    x = x * keras.layers.Activation("sigmoid", name="gate")(x)
    x = x + keras.layers.ReLU(name="again")(x)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    model = keras.Model(image, keras.layers.Dense(5, name="predictions")(x))
    batch = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    expected = np.asarray(keras.ops.softmax(model(batch)))
    network = Network("efficientnet-lite0", MODELS["efficientnet-lite0"], Path("none"))
    made = exported_model(model, network, None, ImageInput("tf"))
    save_keras(made, tmp_path / f"m.{ending}")
    np.testing.assert_allclose(run_keras(tmp_path / f"m.{ending}")(batch), expected, atol=1e-6)
    loaded = keras.models.load_model(tmp_path / f"m.{ending}", compile=False)
    kinds = {layer.name: type(layer).__name__ for layer in loaded.layers}
    assert kinds["scale"] == "DepthwiseConv2D" and kinds["part"] == "Add"
    assert {"conv", "relu", "avg_pool", "predictions"} <= kinds.keys()


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

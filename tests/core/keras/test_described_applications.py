"""The layers of keras.applications in our own words, and back: the same outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.keras.described import build_described, described_variables
from imgcls.core.keras.start import import_keras
from tests.core.keras.described_applications import describe

# Of each family one, at other sizes and widths than those of the table.
NETWORKS: list[tuple[str, int, dict[str, Any]]] = [
    ("VGG16", 64, {}),
    ("ResNet50", 96, {}),
    ("ResNet50V2", 160, {}),
    ("InceptionV3", 96, {}),
    ("InceptionResNetV2", 96, {}),
    ("Xception", 96, {}),
    ("MobileNet", 96, {"alpha": 0.25}),
    ("MobileNetV2", 160, {"alpha": 1.4}),
    ("MobileNetV3Large", 64, {}),
    ("MobileNetV3Small", 96, {"minimalistic": True}),
    ("DenseNet121", 64, {}),
    ("NASNetMobile", 96, {}),
    ("EfficientNetB0", 96, {}),
    ("EfficientNetV2B0", 96, {}),
    ("EfficientNetV2S", 64, {}),
    ("ConvNeXtTiny", 64, {}),
]


def check(builder: str, size: int, arguments: dict[str, Any], classes: int = 0) -> None:
    keras = import_keras()
    top = {"classes": classes, "classifier_activation": None} if classes else {"include_top": False}
    model = getattr(keras.applications, builder)(
        weights=None, input_shape=(size, size, 3), **top, **arguments
    )
    described, tensors = describe(model)
    assert described.tensors == {name: tensor.shape for name, tensor in tensors.items()}
    built = build_described(described)
    for name, variable in described_variables(built, described).items():
        variable.assign(tensors[name])
    batch = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype(np.float32)
    expected = np.asarray(model(batch, training=False))
    np.testing.assert_allclose(built(batch, training=False), expected, atol=1e-5, rtol=1e-5)
    keras.backend.clear_session()


def test_a_narrow_mobilenet() -> None:
    check("MobileNetV2", 96, {"alpha": 0.35})


@pytest.mark.slow
@pytest.mark.parametrize(("builder", "size", "arguments"), NETWORKS)
def test_without_its_top(builder: str, size: int, arguments: dict[str, Any]) -> None:
    check(builder, size, arguments)


@pytest.mark.slow
@pytest.mark.parametrize("builder", ["MobileNet", "MobileNetV3Small", "ConvNeXtTiny", "ResNet50"])
def test_with_its_top(builder: str) -> None:
    check(builder, 96, {}, classes=7)

"""Networks of keras.applications at other sizes and widths than those of the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def _classifier(name: str, size: int, arguments: dict[str, Any], batch: Any) -> Any:
    """Return a nested classifier whose random weights tell the two images apart."""
    import keras

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    base = getattr(keras.applications, name)(
        weights=None, include_top=False, input_shape=(size, size, 3), **arguments
    )
    for layer in base._flatten_layers(include_self=False):
        if type(layer).__name__ in ("BatchNormalization", "LayerScale"):
            layer.set_weights([random.uniform(0.7, 1.3, v.shape) for v in layer.weights])
    image = keras.Input((size, size, 3))
    features = keras.layers.GlobalAveragePooling2D()(base(image, training=False))
    known = np.asarray(keras.Model(image, features)(batch))
    dense = keras.layers.Dense(5, "softmax")
    model = keras.Model(image, dense(features))
    kernel = random.normal(0, 1, (known.shape[1], 5))
    logits = known @ kernel
    spread = np.abs(logits[0] - logits[1]).max()
    dense.set_weights([kernel / spread, -logits.mean(0) / spread])
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "arguments", "family"),
    [
        ("MobileNetV2", 96, {"alpha": 1.4}, "MobileNetV2"),
        ("MobileNetV3Small", 96, {}, "MobileNetV3"),
        ("EfficientNetB0", 64, {}, "EfficientNet"),
        ("EfficientNetV2B0", 64, {}, "EfficientNetV2"),
        ("ConvNeXtTiny", 64, {}, None),
        ("NASNetMobile", 64, {}, "NASNet"),
        ("DenseNet121", 64, {}, "DenseNet"),
        ("Xception", 96, {}, "Xception"),
        ("ResNet50V2", 64, {}, "ResNet V2"),
        ("InceptionResNetV2", 96, {}, "InceptionResNetV2"),
    ],
)
def test_gives_the_scores_of_keras(
    imported: Callable[..., Any],
    tmp_path: Path,
    name: str,
    size: int,
    arguments: dict[str, Any],
    family: str | None,
) -> None:
    pixels = np.random.default_rng(1).uniform(0, 255, (2, size, size, 3)).astype(np.float32)
    batch = pixels * np.array([1, 0.3], np.float32).reshape(2, 1, 1, 1)
    model = _classifier(name, size, arguments, batch)
    model.save(tmp_path / "m.keras")
    found, scores = imported(tmp_path / "m.keras")
    expected = np.asarray(model(batch, training=False))
    assert np.ptp(expected, axis=0).max() > 0.05
    np.testing.assert_allclose(scores(batch), expected, atol=1e-5)
    assert (found.family and found.family.name) == family

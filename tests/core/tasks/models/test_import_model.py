from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.arrays import softmax
from imgcls.core.engines.model import load_model
from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.models.table import MODELS
from imgcls.core.tasks.models.import_model import import_model, read_labels


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("cat\ndog\n")
    return path


def test_labels(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    for text in ("cat\r\n big dog \n\n", '["cat", "big dog"]'):
        path.write_text(text)
        assert read_labels(path) == ("cat", "big dog")
    for text in ("", "one", "a\na", "[1, 2]", "[", "a\nb\x1bc"):
        path.write_text(text)
        with pytest.raises(UsageError, match="no labels"):
            read_labels(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_labels(tmp_path / "none")


def test_refused(tmp_path: Path, labels: Path) -> None:
    file, output = tmp_path / "m.keras", tmp_path / "m.safetensors"
    file.write_bytes(b"x")
    with pytest.raises(UsageError, match="say --trust"):
        import_model(file, labels, output)
    with pytest.raises(UsageError, match=r"ends in \.safetensors"):
        import_model(file, labels, tmp_path / "m.h5", trust=True)
    with pytest.raises(ModelError, match="no such file"):
        import_model(tmp_path / "none.h5", labels, output, trust=True)
    with pytest.raises(ModelError, match=r"no \.keras or \.h5 file"):
        import_model(file, labels, output, trust=True)
    output.write_text("mine")
    with pytest.raises(OutputError, match="is no model file"):
        import_model(file, labels, output, trust=True)


@pytest.mark.slow
@pytest.mark.parametrize(("units", "activation"), [(2, "softmax"), (1, "sigmoid")])
def test_a_tutorials_model(tmp_path: Path, labels: Path, units: int, activation: str) -> None:
    import keras

    keras.utils.set_random_seed(0)
    base = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(224, 224, 3)
    )
    model = keras.Sequential(
        [
            keras.layers.Input((224, 224, 3)),
            base,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    path = tmp_path / ("m.keras" if units == 2 else "m.h5")
    model.save(path)
    file = import_model(path, labels, tmp_path / "m.safetensors", trust=True)
    assert (file.backbone, file.labels) == ("mobilenet-v2", ("cat", "dog"))
    opened = load_model(str(tmp_path / "m.safetensors"))
    pixels = np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), np.uint8)
    batch = MODELS["mobilenet-v2"].preprocessing.scale(pixels)
    expected: Any = np.asarray(model(batch))
    if units == 1:
        expected = np.concatenate([1 - expected, expected], axis=1)
    np.testing.assert_allclose(opened.scores(batch), expected, atol=1e-5)
    network = opened.network
    assert network.weights == tmp_path / "m.safetensors"
    (logits,) = opened.engine.run(batch, ("logits",))  # the compiled network holds the head too
    np.testing.assert_allclose(softmax(logits), expected, atol=1e-5)


@pytest.mark.slow
def test_a_model_of_no_known_network(tmp_path: Path, labels: Path) -> None:
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((64, 64, 3)),
            layers.Conv2D(8, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.save(tmp_path / "m.keras")
    with pytest.raises(
        ModelError, match="none of the networks that imgcls knows, for images of 64"
    ):
        import_model(tmp_path / "m.keras", labels, tmp_path / "m.safetensors", trust=True)
    assert not (tmp_path / "m.safetensors").exists()

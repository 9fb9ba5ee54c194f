"""Features against Keras, and the rows they come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imgcls
from imgcls.core.engines.model import load_model
from imgcls.core.errors import UsageError
from imgcls.core.keras.build import build_network, build_weighted
from imgcls.core.models.table import MODELS
from imgcls.core.models.variant import Variant
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.features.features import count_features, label_of
from tests.conftest import load_batch

# Model → the layer before its classifier, or the one whose mean over places is taken.
LAYERS = {
    "mobilenet": "global_average_pooling2d",
    "mobilenet-v2": "global_average_pooling2d",
    "densenet121": "avg_pool",
    "efficientnet-v2-b0": "avg_pool",
    "resnet50v2": "avg_pool",
}


def random_weights(name: str, photos: Path, folder: Path) -> Path:
    """Write seeded random weights, normalised on some photos: else all features vanish."""
    import keras

    keras.utils.set_random_seed(0)
    network = build_network(MODELS[name])
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    sources = [Source(str(photo)) for photo in sorted(photos.glob("*.jpg"))]
    network(load_batch(sources, MODELS[name].preprocessing), training=True)
    path = folder / f"{name}.weights.h5"
    network.save_weights(path)
    return path


def predicted(network: Any, layer: str, batch: Any) -> Any:
    """Return a layer's output as a Keras user computes it, averaged over places."""
    import keras

    output = keras.Model(network.inputs, network.get_layer(layer).output).predict(batch, verbose=0)
    return output.reshape(len(batch), -1, output.shape[-1]).mean(axis=1)


def test_the_default_model_equals_keras(samples: Path) -> None:
    model = load_model()
    rows = list(imgcls.features(str(samples), model))
    batch = load_batch([Source(row.path) for row in rows], model.preprocessing)
    expected = predicted(build_weighted(model.network), "top_activation", batch)
    np.testing.assert_allclose([row.features for row in rows], expected, atol=1e-4)
    assert count_features(model) == expected.shape[1] == 1280


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_it_equals_keras(name: str, samples: Path, tmp_path: Path) -> None:
    model = load_model(name, weights=random_weights(name, samples, tmp_path))
    rows = list(imgcls.features(str(samples), model, resize="squash"))
    preprocessing = model.preprocessing._replace(resize="squash")
    batch = load_batch([Source(row.path) for row in rows], preprocessing)
    network = build_weighted(model.network)
    pooling = [layer.name for layer in network.layers if layer.name.startswith(LAYERS[name])]
    expected = predicted(network, pooling[-1], batch)
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose([row.features for row in rows], expected, atol=1e-4)


def test_an_input_that_fails_has_its_row(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    bad, good = imgcls.features([tmp_path / "bad.jpg", samples / "cat.jpg"])
    assert (bad.path, bad.features) == (str(tmp_path / "bad.jpg"), None)
    assert bad.error is not None
    assert good.error is None and good.features is not None
    assert good.features.dtype == np.float32


def test_workers_are_checked(samples: Path) -> None:
    with pytest.raises(UsageError, match="`workers` must be 1 or more"):
        imgcls.features(samples / "cat.jpg", workers=0)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("data/cars/a.jpg", "cars"),
        ("data/cars/old/a.jpg", "cars"),
        ("data/train/cars/a.jpg", "cars"),
        ("data/seg_train/seg_train/cars/a.jpg", "cars"),
        ("data/train/a.jpg", ""),
        ("data/a.jpg", ""),
    ],
)
def test_the_label_is_the_class_folder(path: str, label: str) -> None:
    assert label_of(Source(path, root="data")) == label
    assert label_of(Source(path)) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "layer", "shape"),
    [
        ({"size": 64, "features": "flatten"}, "top_activation", (2 * 2 * 1280,)),
        ({"size": 64, "features": "block3b_add"}, "block3b_add", (40,)),
    ],
)
def test_other_features_equal_keras(
    samples: Path, how: dict[str, Any], layer: str, shape: tuple[int, ...]
) -> None:
    import keras

    rows = list(imgcls.features(str(samples), **how))
    network = build_weighted(load_model(engine="keras", variant=Variant(**how)).network)
    size = how["size"]
    row = MODELS["efficientnet-lite0"]
    at_size = row.preprocessing.for_size(size)
    batch = load_batch([Source(one.path) for one in rows], at_size)
    inner = keras.Model(network.inputs, network.get_layer(layer).output)
    expected = inner.predict(batch, verbose=0)  # (n, h, w, c)
    if how["features"] == "flatten":
        expected = expected.reshape(len(batch), -1)
    else:
        expected = expected.mean(axis=(1, 2))
    assert rows[0].features is not None and rows[0].features.shape == shape
    np.testing.assert_allclose([one.features for one in rows], expected, atol=1e-4)


def test_an_open_model_has_the_features_that_it_was_opened_for(samples: Path) -> None:
    with pytest.raises(UsageError, match="open it with a variant"):
        imgcls.features(str(samples), load_model(), size=64)
    with pytest.raises(UsageError, match="32×32 pixels or more"):
        imgcls.features(str(samples), size=31)

"""What layers answer equals what Keras says of the same pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import imgcls
from imgcls.core.keras.build import build_weighted
from imgcls.core.models.head import Head
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.source import Source

LAYERS = ("stem_conv", "block3b_add", "top_activation", "avg_pool")


@pytest.fixture(scope="module")
def model() -> imgcls.Model:
    return imgcls.load_model(engine="keras")


def test_values_are_those_of_keras(model: imgcls.Model, samples: Path) -> None:
    import keras

    path = samples / "cat.jpg"
    (seen,) = imgcls.activations(path, model, layers=LAYERS)
    network = build_weighted(model.network)
    pixels = load_image(Source(str(path)), model.preprocessing).pixels
    batch = model.preprocessing.scale(pixels[np.newaxis])
    for name in LAYERS:
        alone = keras.Model(network.inputs, network.get_layer(name).output)
        expected = alone.predict(batch, verbose=0)[0]
        np.testing.assert_allclose(seen.layers[name], expected, atol=1e-4)
    assert seen.prediction is not None and seen.prediction.label == "tiger_cat"


def test_all_layers_with_height_and_width(model: imgcls.Model, samples: Path) -> None:
    (seen,) = imgcls.activations(samples / "cat.jpg", model)
    assert list(seen.layers)[:2] == ["stem_conv", "stem_bn"]
    assert list(seen.layers)[-1] == "top_activation" and len(seen.layers) == 140
    assert {values.ndim for values in seen.layers.values()} == {3}


def test_the_first_layers(model: imgcls.Model, samples: Path) -> None:
    (seen,) = imgcls.activations(samples / "cat.jpg", model, first=3)
    assert list(seen.layers) == ["stem_conv", "stem_bn", "stem_activation"]


def test_one_bad_image_ends_nothing_but_itself(
    model: imgcls.Model, samples: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    inputs = [tmp_path / "bad.jpg", samples / "cat.jpg"]
    bad, good = imgcls.activations(inputs, model, first=1)
    assert bad.error is not None and not bad.layers and bad.prediction is None
    assert good.error is None and list(good.layers) == ["stem_conv"]
    sheet = good._repr_png_()  # what a notebook shows
    assert sheet is not None and sheet.startswith(b"\x89PNG") and bad._repr_png_() is None


def test_of_a_trained_model_the_last_layers_are_its_own_head(
    model: imgcls.Model, samples: Path
) -> None:
    random = np.random.default_rng(0)
    arrays = [random.normal(0, 0.1, shape).astype(np.float32) for shape in ((1280, 4), (4, 2))]
    head = Head(tuple((kernel, kernel[0]) for kernel in arrays))
    labels = (ClassLabel("cat", "cat"), ClassLabel("dog", "dog"))
    trained = replace(model, head=head, labels=labels)
    names = ("top_activation", "pooled_features", "imgcls_head_0", "imgcls_head_1")
    (seen,) = imgcls.activations(samples / "cat.jpg", trained, layers=names)
    features = seen.layers["top_activation"].mean(axis=(0, 1))
    np.testing.assert_allclose(seen.layers["pooled_features"], features, atol=1e-5)
    np.testing.assert_allclose(
        seen.layers["imgcls_head_1"], head.logits(features[None])[0], atol=1e-4
    )
    with pytest.raises(imgcls.UsageError, match="predictions: no such layer"):
        imgcls.activations(samples, trained, layers=["predictions"])


def test_no_such_layer(model: imgcls.Model, samples: Path) -> None:
    with pytest.raises(imgcls.UsageError, match="stem_con: no such layer; did you mean stem_conv"):
        list(imgcls.activations(samples, model, layers=["stem_con"]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"first": 0}, "`first` is 0"), ({"layers": ("a", "a")}, "named twice")],
)
def test_options_check_themselves(wrong: dict[str, object], message: str, samples: Path) -> None:
    with pytest.raises(imgcls.UsageError, match=message):
        imgcls.activations(samples, **wrong)  # type: ignore[arg-type]

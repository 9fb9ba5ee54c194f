"""Files of Keras 3, made here, against the model that was saved."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.keras.source_model import build_source, source_outputs
from imgcls.core.models.keras_file.describe import describe

SIZE = 32


def _settle(model: Any) -> Any:
    random = np.random.default_rng(3)
    for layer in model._flatten_layers(include_self=False):
        own = [v for v in layer.weights if getattr(layer, "layers", None) is None]
        if not own or type(layer).__name__ == "Normalization":
            continue
        layer.set_weights(
            [
                random.uniform(0.5, 1.5, v.shape)
                if v.ndim == 1
                else random.normal(0, 1.5 / np.sqrt(np.prod(v.shape[:-1])), v.shape)
                for v in own
            ]
        )
    return model


def _base(L: Any, keras: Any) -> Any:
    x = image = keras.Input((SIZE, SIZE, 3))
    x = L.Conv2D(6, 3, strides=2, padding="same", name="Conv1")(x)
    x = y = L.Activation("relu6")(L.BatchNormalization()(x))
    x = L.Add()([L.DepthwiseConv2D(3, padding="same")(x), y])
    x = L.Concatenate()([L.SeparableConv2D(8, 3, activation="gelu")(x), L.MaxPooling2D(3, 1)(y)])
    return keras.Model(image, x, name="base")


def _nested(head: Callable[[Any, Any], Any], inside: Any = None, augment: bool = False) -> Any:
    import keras

    L = keras.layers
    x = image = keras.Input((SIZE, SIZE, 3))
    if augment:
        x = keras.Sequential([L.RandomFlip("horizontal"), L.RandomZoom(0.2)])(x)
    if inside is not None:
        x = inside(x)
    base = _base(L, keras)
    base.trainable = False
    return _settle(keras.Model(image, head(L, base(x, training=False))))


def _pooled(units: int, activation: str | None) -> Callable[[Any, Any], Any]:
    return lambda L, x: L.Dense(units, activation)(L.Dropout(0.2)(L.GlobalAveragePooling2D()(x)))


def _rescaling(x: Any) -> Any:
    import keras

    return keras.layers.Rescaling(1 / 127.5, offset=-1)(x)


def _normalization(x: Any) -> Any:
    import keras

    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(0).uniform(0, 255, (4, SIZE, SIZE, 3)))
    return layer(x)


def _preprocess(family: str) -> Callable[[Any], Any]:
    import keras

    function: Callable[[Any], Any] = getattr(keras.applications, family).preprocess_input
    return function


def _many_dense(L: Any, x: Any) -> Any:
    x = L.BatchNormalization()(L.GlobalMaxPooling2D()(x))
    x = L.BatchNormalization()(L.Dense(8, "relu")(x))
    x = L.ReLU()(L.BatchNormalization()(L.Dense(8)(L.Dropout(0.5)(x))))
    return L.Dense(3, "softmax")(x)


def _odd_activations(L: Any, x: Any) -> Any:
    x = L.Dense(8, "tanh")(L.Flatten()(x))
    x = L.LeakyReLU(0.2)(L.Dense(8)(x))
    return L.Softmax()(L.Dense(3)(L.Dense(8, "hard_sigmoid")(x)))


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "softmax": (lambda: _nested(_pooled(3, "softmax")), "softmax"),
    "sigmoid": (lambda: _nested(_pooled(1, "sigmoid")), "sigmoid"),
    "one logit": (lambda: _nested(_pooled(1, None)), "logit"),
    "logits": (lambda: _nested(_pooled(4, None)), "logits"),
    "rescaling": (lambda: _nested(_pooled(3, "softmax"), _rescaling, True), "softmax"),
    "normalization": (lambda: _nested(_pooled(3, "softmax"), _normalization), "softmax"),
    "tf": (lambda: _nested(_pooled(3, "softmax"), _preprocess("mobilenet_v2")), "softmax"),
    "caffe": (lambda: _nested(_pooled(3, "softmax"), _preprocess("resnet50")), "softmax"),
    "torch": (lambda: _nested(_pooled(3, "softmax"), _preprocess("densenet")), "softmax"),
    "many dense": (lambda: _nested(_many_dense), "softmax"),
    "odd activations": (lambda: _nested(_odd_activations), "softmax"),
}


def _expected(model: Any, batch: Float32Array, ending: str) -> np.ndarray:
    outputs = np.asarray(model(batch, training=False))
    if ending == "logits":
        return softmax(outputs)
    if ending == "softmax":
        return outputs
    second = outputs if ending == "sigmoid" else 1 / (1 + np.exp(-outputs))
    return np.concatenate([1 - second, second], axis=1)


@pytest.fixture
def batch() -> Float32Array:
    pixels = np.random.default_rng(1).uniform(0, 255, (2, SIZE, SIZE, 3))
    return pixels.astype(np.float32)


# Every case in one form of file or the other, the first in both.
@pytest.mark.parametrize(
    ("case", "ending_of_file"),
    [("softmax", ".h5"), *zip(CASES, itertools.cycle((".keras", ".h5")))],
)
def test_gives_the_scores_of_what_was_saved(
    imported: Callable[..., Any],
    tmp_path: Path,
    batch: Float32Array,
    case: str,
    ending_of_file: str,
) -> None:
    make, ending = CASES[case]
    model = make()
    path = tmp_path / f"m{ending_of_file}"
    model.save(path)
    found, scores = imported(path)
    expected = _expected(model, batch, ending)
    np.testing.assert_allclose(scores(batch), expected, atol=1e-5)
    assert found.ending == ending
    weights = path if ending_of_file == ".h5" else tmp_path / "model.weights.h5"
    source = build_source(found.tree, found.file, weights, (SIZE, SIZE, 3))
    outputs = np.asarray(model(batch, training=False))
    np.testing.assert_allclose(source_outputs(source, batch), outputs, atol=1e-6)


def test_normalizations_become_part_of_the_head(
    imported: Callable[..., Any], tmp_path: Path
) -> None:
    _nested(_many_dense).save(tmp_path / "m.keras")
    found, _ = imported(tmp_path / "m.keras")
    assert found.head.widths == (14, 8, 8, 3)
    assert found.folded == {"BatchNormalization": 3}


def test_mixed_precision_is_imported_as_float32(
    imported: Callable[..., Any], tmp_path: Path, batch: Float32Array
) -> None:
    import keras

    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = _nested(_pooled(3, "softmax"))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    model.save(tmp_path / "m.keras")
    _, scores = imported(tmp_path / "m.keras")
    np.testing.assert_allclose(scores(batch), np.asarray(model(batch)), atol=0.02)


def _refused(model: Any, tmp_path: Path) -> str:
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError) as caught:
        describe(tmp_path / "m.keras", tmp_path)
    return str(caught.value)


def test_what_is_refused_has_its_true_reason(tmp_path: Path) -> None:
    import keras

    L, image = keras.layers, keras.Input((SIZE, SIZE, 3))

    def model(x: Any) -> Any:
        return keras.Model(image, x)

    pooled = L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(image))
    other = keras.Input((4,))
    two = keras.Model([image, other], L.Dense(2)(L.Concatenate()([pooled, other])))
    assert "takes 2 inputs" in _refused(two, tmp_path)
    assert "gives 2 results" in _refused(
        keras.Model(image, [L.Dense(2)(pooled), L.Dense(4)(pooled)]), tmp_path
    )
    assert "a lambda" in _refused(model(L.Dense(2)(L.Lambda(lambda x: x * 2)(pooled))), tmp_path)
    assert "not one score a class" in _refused(model(L.Conv2D(4, 3)(image)), tmp_path)
    assert "right or wrong each for itself" in _refused(
        model(L.Dense(3, "sigmoid")(pooled)), tmp_path
    )
    assert "Conv1D is on no list" in _refused(
        model(L.Flatten()(L.Conv1D(2, 2)(L.Reshape((-1, 3))(image)))), tmp_path
    )
    wide = keras.Input((32, 64, 3))
    assert "64×32 pixels" in _refused(
        keras.Model(wide, L.Dense(2)(L.GlobalAveragePooling2D()(wide))), tmp_path
    )


def test_a_network_of_grey_images_makes_photos_grey(
    imported: Callable[..., Any], tmp_path: Path, batch: Float32Array
) -> None:
    import keras

    L, image = keras.layers, keras.Input((SIZE, SIZE, 1))
    x = L.MaxPooling2D()(
        L.Conv2D(4, 3, activation="relu")(L.Rescaling(1 / 255, name="scale")(image))
    )
    model = _settle(keras.Model(image, L.Dense(3, "softmax")(L.Flatten()(x))))
    model.save(tmp_path / "m.keras")
    found, scores = imported(tmp_path / "m.keras")
    grey = batch @ np.array([0.299, 0.587, 0.114], np.float32)
    expected = np.asarray(model(grey[..., np.newaxis], training=False))
    np.testing.assert_allclose(scores(batch), expected, atol=1e-5)
    assert found.is_grey and found.scaled_by == ("scale",)


def test_an_open_size_is_chosen(tmp_path: Path) -> None:
    import keras

    L, image = keras.layers, keras.Input((None, None, 3))
    x = L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(image))
    keras.Model(image, L.Dense(2)(x)).save(tmp_path / "m.keras")
    assert describe(tmp_path / "m.keras", tmp_path).size == 224
    assert describe(tmp_path / "m.keras", tmp_path, 64).network.input_shape == (64, 64, 3)

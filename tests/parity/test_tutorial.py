"""The steps of a transfer-learning tutorial: against plain Keras, and as commands.

VGG16 without its top at 64×64, all places of its last feature map, a dense head; the weights are
random, from a seed, since the published ones are not in the repository.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imgcls as package
from imgcls.core.engines.model import Model, load_model
from imgcls.core.models.head import Head, Standardization
from imgcls.core.models.model_file import read_model_file
from imgcls.core.models.variant import Variant
from imgcls.core.tasks.heatmap.upsample import upsample
from imgcls.core.tasks.training.head_learner import HeadLearner, fresh_head
from tests.conftest import Imgcls

pytestmark = pytest.mark.slow

SIZE = 64
PHOTOS = 12  # of each class


@pytest.fixture(scope="module")
def vgg() -> Any:
    """Return what a tutorial builds: keras.applications.VGG16 without its top."""
    import keras

    keras.utils.set_random_seed(0)
    network = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    for layer in network.layers:
        if layer.weights:  # as He et al. 2015, or all that comes out is close to 0
            layer.kernel.assign(layer.kernel * 2**0.5)
    return network


@pytest.fixture(scope="module")
def weights(vgg: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vgg") / "vgg16_notop.weights.h5"
    vgg.save_weights(path)
    return path


@pytest.fixture(scope="module")
def model(weights: Path) -> Model:
    return load_model("vgg16", weights=weights, variant=Variant(SIZE, "flatten"))


@pytest.fixture
def data(cars_flowers: Path, tmp_path: Path) -> Path:
    """Return some photos of each class in class folders."""
    for label in ("car", "flower"):
        folder = tmp_path / "data" / label
        folder.mkdir(parents=True)
        for photo in sorted((cars_flowers / "train" / label).iterdir())[:PHOTOS]:
            shutil.copy(photo, folder)
    return tmp_path / "data"


def keras_pixels(paths: list[Path]) -> np.ndarray:
    """Read photos as tutorials do, (n, 64, 64, 3)."""
    import keras

    images = [
        keras.utils.load_img(path, target_size=(SIZE, SIZE), interpolation="bilinear")
        for path in paths
    ]
    batch = np.stack([keras.utils.img_to_array(image) for image in images])
    return keras.applications.vgg16.preprocess_input(batch.copy())


def test_features_and_the_first_step_equal_plain_keras(vgg: Any, model: Model, data: Path) -> None:
    import keras
    import tensorflow as tf

    photos = sorted(data.glob("*/*"))
    rows = package.features([str(photo) for photo in photos], model, resize="squash")
    ours = np.stack([row.features for row in rows if row.features is not None])
    batch = keras_pixels(photos)
    flat = keras.layers.Flatten()
    theirs = np.asarray(flat(vgg.predict(batch, verbose=0)))  # (n, 2·2·512)
    assert ours.shape == theirs.shape == (2 * PHOTOS, 2048)
    assert theirs.std() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-4)

    columns = np.array([photo.parent.name == "flower" for photo in photos], np.int64)
    standardization = Standardization.of(ours)
    random = np.random.default_rng(1)
    last = random.normal(0, 0.05, (16, 2)).astype(np.float32), np.zeros(2, np.float32)
    layers = (*fresh_head((2048, 16, 2), seed=0).layers[:1], last)
    learner = HeadLearner(
        Head.of_standardized(layers, standardization),
        standardization,
        learning_rate=1e-3,
        dropout=0.0,
        seed=0,
    )
    learner.learn(ours, columns, np.ones(len(columns), np.float32))
    part = 1 - 0.9  # that Adam's mean is of the gradient after the first step
    found = [learner.state()[f"mean.{i}"] / part for i in range(4)]

    head = keras.Sequential(
        [
            keras.Input((2048,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    head.set_weights([array for layer in layers for array in layer])
    with tf.GradientTape() as tape:
        scores = head((theirs - standardization.mean) / standardization.deviation)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(columns, scores))
    expected = tape.gradient(loss, [weight.value for weight in head.weights])
    for one, other in zip(found, expected, strict=True):
        assert np.abs(other).max() > 1e-3
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_seven_steps_as_commands(
    imgcls: Imgcls, vgg: Any, weights: Path, data: Path, tmp_path: Path
) -> None:
    import keras
    import tensorflow as tf

    # Load, and the summary.
    summary = imgcls("models", "info", "vgg16", "--layers")
    assert "block5_pool" in summary.stdout and "14×14×512" in summary.stdout
    # Replace the top, freeze, train with augmentation, save.
    done = imgcls(
        *("finetune", data, "-o", "cars.safetensors", "-m", "vgg16", "--weights", weights),
        *("--size", "64", "--resize", "squash", "--features", "flatten"),
        *("--hidden", "16", "--dropout", "0.5", "--epochs", "2"),
        *("--augment", "rotation=40,shift=0.2,shear=0.2,zoom=0.2,flip"),
    )
    assert done.returncode == 0, done.stderr
    file = read_model_file(tmp_path / "cars.safetensors")
    assert file.head is not None and file.head.widths == (2048, 16, 2)
    own = imgcls("models", "info", "cars.safetensors", "--layers").stdout
    assert "14,714,688 frozen" in own
    # Predict a file, and say why.
    photo = data / "car" / sorted(path.name for path in (data / "car").iterdir())[0]
    said = imgcls("predict", photo, "-m", "cars.safetensors", "--format", "json")
    assert said.returncode == 0, said.stderr
    drawn = imgcls("heatmap", photo, *("-m", "cars.safetensors", "-o", "why.png", "--raw"))
    assert "  gradcam  block5_conv3  " in drawn.stdout

    # The same network in plain Keras gives the same scores and the same Grad-CAM.
    (record,) = package.classify(photo, str(tmp_path / "cars.safetensors"), top=0)
    scores = {one.label: one.score for one in record.predictions}
    maps = keras.Model(vgg.inputs, [vgg.get_layer("block5_conv3").output, vgg.output])
    with tf.GradientTape() as tape:
        activations, x = maps(keras_pixels([photo]), training=False)
        x = tf.reshape(x, (1, -1))
        (hidden, bias), (kernel, offset) = file.head.layers
        logits = tf.nn.relu(x @ hidden + bias) @ kernel + offset
        best = int(np.argmax(logits))
        logit = logits[0, best]
    expected = dict(zip(file.labels, np.asarray(tf.nn.softmax(logits))[0], strict=True))
    check_scores(scores, expected)
    gradients = np.asarray(tape.gradient(logit, activations))[0]
    cam = np.maximum(np.asarray(activations)[0] @ gradients.mean(axis=(0, 1)), 0)
    (answer,) = package.explain(photo, str(tmp_path / "cars.safetensors"))
    assert isinstance(answer, package.Explanation)
    assert answer.prediction.label == file.labels[best]
    height, width = answer.cam.shape
    whole = upsample((cam / max(cam.max(), 1e-9)).astype(np.float32), width, height)
    np.testing.assert_allclose(answer.cam, whole, atol=1e-3)


def check_scores(scores: Mapping[str, float], expected: Mapping[str, float]) -> None:
    assert scores.keys() == expected.keys()
    for label, score in expected.items():
        assert scores[label] == pytest.approx(float(score), abs=1e-4)

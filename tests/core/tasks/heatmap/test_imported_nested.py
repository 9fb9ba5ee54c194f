"""Heatmaps of an imported model against Grad-CAM written out on the model that was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.engines.model import load_model
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.heatmap.explain import explain
from imgcls.core.tasks.models.import_model import ImportOptions, import_model


def _nested(keras: Any, classes: int) -> Any:
    L = keras.layers
    keras.utils.set_random_seed(5)
    x = image = keras.Input((96, 96, 3))
    x = L.Conv2D(8, 3, strides=2, activation="relu")(x)
    x = L.BatchNormalization()(x)
    x = L.Conv2D(16, 3, strides=2, activation="relu", name="last")(x)
    base = keras.Model(image, x, name="base")
    outer = keras.Input((96, 96, 3))
    x = L.GlobalAveragePooling2D()(base(L.Rescaling(1 / 127.5, offset=-1)(outer)))
    x = L.Dense(12, activation="tanh")(x)
    return keras.Model(outer, L.Dense(classes, "softmax" if classes > 1 else "sigmoid")(x))


def _gradcam(keras: Any, model: Any, image: Any, column: int) -> Any:
    """Compute Grad-CAM as tutorials do for a model in a model: its parts called one by one."""
    import tensorflow as tf

    _, rescaling, base, pooling, hidden, last = model.layers
    activations = base(rescaling(image))
    with tf.GradientTape() as tape:
        tape.watch(activations)
        x = hidden(pooling(activations))
        logits = x @ last.kernel + last.bias
        logit = logits[:, column] if logits.shape[1] > 1 else (2 * column - 1) * logits[:, 0] / 2
    gradients = tape.gradient(logit, activations)
    weights = tf.reduce_mean(gradients, axis=(1, 2))  # (n, h, w, c) → (n, c)
    cam = tf.nn.relu(tf.einsum("nhwc,nc->nhw", activations, weights))[0].numpy()
    return cam / cam.max() if cam.max() else cam


@pytest.mark.parametrize("classes", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_gradcam_is_that_of_the_source(tmp_path: Path, samples: Path, classes: int) -> None:
    import keras

    source = _nested(keras, classes)
    source.save(tmp_path / "m.keras")
    written = tmp_path / "m.safetensors"
    import_model(tmp_path / "m.keras", written, ImportOptions(generic_labels=True), trust=True)
    model = load_model(str(written), engine="keras")
    photo = samples / "cat.jpg"
    pixels = load_image(Source(str(photo)), model.preprocessing).pixels[np.newaxis]
    for column in range(max(classes, 2)):
        expected = _gradcam(keras, source, pixels.astype(np.float32), column)
        (found,) = explain([str(photo)], model, class_name=column, layer="last")
        height, width = found.cam.shape  # type: ignore[union-attr]
        rows = (np.arange(expected.shape[0]) + 0.5) * height / expected.shape[0]
        columns = (np.arange(expected.shape[1]) + 0.5) * width / expected.shape[1]
        small = found.cam[np.ix_(rows.astype(int), columns.astype(int))]  # type: ignore[union-attr]
        if expected.max() > 0:
            assert np.corrcoef(small.ravel(), expected.ravel())[0, 1] > 0.99
        else:
            assert small.max() == 0

"""Grad-CAM as Keras tutorials do it: GradientTape over the last activation, a photo at a time.

    python benchmarks/keras_gradcam.py OUT PHOTO...

The network and its weights are those of imgcls' default model. Prints, as JSON, the seconds of
the loop after the first photo, and how many photos it did in that time.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib
import numpy as np
import tensorflow as tf

from imgcls.core.keras.build import build_weighted
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights

SIZE = 224


def make_heatmap(grad_model: keras.Model, batch: np.ndarray) -> np.ndarray:
    with tf.GradientTape() as tape:
        activations, logits = grad_model(batch)
        logit = logits[:, tf.argmax(logits[0])]
    gradients = tape.gradient(logit, activations)
    weights = tf.reduce_mean(gradients, axis=(0, 1, 2))
    heatmap = tf.squeeze(activations[0] @ weights[..., tf.newaxis])
    heatmap = tf.maximum(heatmap, 0) / tf.math.reduce_max(heatmap)
    return heatmap.numpy()


def save_heatmap(photo: str, heatmap: np.ndarray, path: Path) -> None:
    image = keras.utils.img_to_array(keras.utils.load_img(photo))
    jet = matplotlib.colormaps["jet"](np.arange(256))[:, :3]
    colors = keras.utils.array_to_img(jet[np.uint8(255 * heatmap)])
    colors = keras.utils.img_to_array(colors.resize((image.shape[1], image.shape[0])))
    keras.utils.array_to_img(colors * 0.4 + image * 0.6).save(path)


def main(out: str, *photos: str) -> None:
    spec = MODELS[DEFAULT_MODEL]
    model = build_weighted(Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec)))
    grad_model = keras.Model(model.input, [model.get_layer("top_activation").output, model.output])
    started = time.perf_counter()
    for number, photo in enumerate(photos):
        if number == 1:
            started = time.perf_counter()  # the first photo is the warm-up
        image = keras.utils.load_img(photo, target_size=(SIZE, SIZE), interpolation="bicubic")
        batch = (keras.utils.img_to_array(image)[np.newaxis] - 127) / 128
        heatmap = make_heatmap(grad_model, batch)
        save_heatmap(photo, heatmap, Path(out) / f"{number}.png")
    print(json.dumps({"seconds": time.perf_counter() - started, "photos": len(photos) - 1}))


if __name__ == "__main__":
    main(*sys.argv[1:])

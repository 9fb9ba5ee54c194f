"""Feature maps as Keras tutorials draw them: a model a layer, a figure of 8×8 channels each.

    python benchmarks/keras_activations.py OUT PHOTO COUNT

The network and its weights are those of imgcls' default model. Writes OUT/LAYER.png for the
first COUNT layers that have height and width.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot

from imgcls.core.keras.build import build_weighted
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights

SIZE = 224
SQUARE = 8


def draw(model: keras.Model, photo: str, count: int, out: Path) -> None:
    image = keras.utils.load_img(photo, target_size=(SIZE, SIZE), interpolation="bicubic")
    batch = (keras.utils.img_to_array(image)[np.newaxis] - 127) / 128
    shown = [layer for layer in model.layers[1:] if len(layer.output.shape) == 4]
    for layer in shown[:count]:
        maps = keras.Model(model.inputs, layer.output).predict(batch, verbose=0)[0]
        figure = pyplot.figure(figsize=(8, 8))
        for channel in range(min(SQUARE * SQUARE, maps.shape[-1])):
            axes = figure.add_subplot(SQUARE, SQUARE, channel + 1)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.imshow(maps[:, :, channel], cmap="gray")
        figure.savefig(out / f"{layer.name}.png")
        pyplot.close(figure)


def main(out: str, photo: str, count: str) -> None:
    spec = MODELS[DEFAULT_MODEL]
    model = build_weighted(Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec)))
    draw(model, photo, int(count), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Write the small files of Keras 2 in this folder: python make.py, where tf-keras is installed.

tf-keras is Keras 2 as it is today. `age` gives what it writes the words of the Keras that people
had: TensorFlow 2.4 (.h5) and 2.15 (.keras). Beside each file lie pixels and the scores that it
gave to them. Weights are random, but always the same.
"""

import json
import os
import zipfile
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")

import h5py
import numpy as np
import tf_keras as keras

HERE, SIZE = Path(__file__).parent, 32
layers = keras.layers


def strip(said):
    if isinstance(said, dict):
        return {
            key: strip(value)
            for key, value in said.items()
            if key not in ("registered_name", "build_config")
            and not (key == "module" and "class_name" in said)
        }
    return [strip(value) for value in said] if isinstance(said, list) else said


def age(path):
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members["config.json"] = members["config.json"].replace(b"tf_keras", b"keras")
        members["metadata.json"] = (
            b'{"keras_version": "2.15.0", "date_saved": "2023-12-01@12:00:00"}'
        )
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return
    with h5py.File(path, "r+") as file:
        config = json.dumps(strip(json.loads(file.attrs["model_config"])))
        file.attrs["model_config"] = config
        file.attrs["keras_version"] = "2.4.0"


def settle(model):
    """Give all weights random values of a size that lets the scores differ."""
    random = np.random.default_rng(7)
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if list(layer._flatten_layers(include_self=False)) or not layer.weights:
            continue
        layer.set_weights(
            [
                random.uniform(0.5, 1.5, a.shape)
                if a.ndim == 1
                else random.normal(0, 1.5 / np.sqrt(np.prod(a.shape[:-1])), a.shape)
                for a in layer.get_weights()
            ]
        )
    return model


def write(model, name, scale):
    settle(model)
    pixels = np.random.default_rng(5).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    pixels[1] //= 4  # a dark one
    model.save(HERE / name)
    scores = model.predict(scale(pixels.astype(np.float32)), verbose=0)
    np.savez_compressed(HERE / f"{name}.npz", pixels=pixels, scores=scores)
    age(HERE / name)


def base():
    x = image = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False, name="Conv1")(x)
    x = layers.BatchNormalization(name="bn_Conv1")(x)
    x = y = layers.ReLU(6.0, name="Conv1_relu")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Add(name="add")([layers.LeakyReLU(alpha=0.2, name="leaky")(x), y])
    x = layers.SeparableConv2D(8, 3, strides=2, activation="swish", name="separable")(x)
    return keras.Model(image, x, name="base")


def nested(inside=None, units=3, augment=False):
    network = base()
    network.trainable = False
    x = image = keras.Input((SIZE, SIZE, 3))
    if augment:
        x = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.2)])(x)
    if inside:
        x = inside(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(network(x, training=False)))
    activation = "softmax" if units > 1 else "sigmoid"
    return keras.Model(image, layers.Dense(units, activation=activation)(x))


def partly_frozen():
    network = base()
    network.get_layer("depthwise").trainable = False
    network.get_layer("bn_Conv1").trainable = False
    return keras.Sequential([network, layers.Flatten(), layers.Dense(3, activation="softmax")])


def teachable():
    first = keras.Sequential([base(), layers.GlobalAveragePooling2D()])
    head = [layers.Dense(5, activation="relu", input_shape=(8,), name="dense_Dense1")]
    head.append(layers.Dense(3, activation="softmax", use_bias=False, name="dense_Dense2"))
    model = keras.Sequential([first, keras.Sequential(head)])
    model.build((None, SIZE, SIZE, 3))
    return model


def own_cnn():
    model = keras.Sequential(
        [
            layers.Rescaling(1 / 255, input_shape=(SIZE, SIZE, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(4, 3, activation="hard_sigmoid"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(6, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.legacy.Adam(1e-3), "binary_crossentropy")
    return model


def tf_scale(x):
    return x / 127.5 - 1


if __name__ == "__main__":
    applications = keras.applications
    write(nested(), "nested.h5", tf_scale)
    write(nested(), "nested.keras", tf_scale)
    write(partly_frozen(), "partly_frozen.h5", tf_scale)
    write(teachable(), "teachable.h5", tf_scale)
    raw = np.float32
    write(nested(applications.mobilenet_v2.preprocess_input, 1, True), "tf_inside.h5", raw)
    write(nested(applications.resnet50.preprocess_input), "caffe_inside.h5", raw)
    write(nested(applications.densenet.preprocess_input), "torch_inside.h5", raw)
    write(own_cnn(), "own_cnn.h5", raw)

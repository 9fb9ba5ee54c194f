"""Classify a folder in another way that a careful user has; one process.

    other_ways.py WAY NETWORK PHOTO...

The photos are decoded, cropped and resized by the very Pillow calls of imgcls, in a pool of as
many threads as there are cores, but for tf.data, which has its own. WAY and its NETWORK:

    onnxruntime  an ONNX file        openvino  an ONNX file
    tfdata       a .keras file       timm      a name of timm, with random weights

Each prints the best column of each photo.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

from imgcls.core.telemetry import import_onnxruntime, import_openvino

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SIZE, LONGER = 224, 256
BATCH = 32


def pixels(path: str) -> np.ndarray:
    """Decode a photo as the default model wants it: bicubic, shorter side to 256, the centre."""
    with Image.open(path) as photo:
        photo.draft("RGB", (2 * LONGER, 2 * LONGER))
        image = photo.convert("RGB")
    side = min(image.size) * SIZE / LONGER
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    resized = image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=box)
    return (np.asarray(resized, np.float32) - 127) / 128


def in_threads(run: Callable[[np.ndarray], np.ndarray], paths: list[str]) -> Iterator[int]:
    """Yield the best column of each photo, each photo from file to scores in one thread."""
    with ThreadPoolExecutor(CORES) as pool:
        yield from pool.map(lambda path: int(run(pixels(path)[None])[0].argmax()), paths)


def onnxruntime(network: str, paths: list[str]) -> Iterator[int]:
    runtime = import_onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # a thread of the pool an image
    session = runtime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return in_threads(lambda batch: session.run(None, {name: batch})[0], paths)


def openvino(network: str, paths: list[str]) -> Iterator[int]:
    import threading

    from imgcls.core.engines.openvino import prepare_for_threads

    settings = {
        "NUM_STREAMS": CORES,
        "INFERENCE_NUM_THREADS": CORES,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = import_openvino().Core().compile_model(network, "CPU", settings)
    prepare_for_threads(model.create_infer_request())
    own = threading.local()

    def run(batch: np.ndarray) -> np.ndarray:
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()
        own.request.infer({0: batch})
        found: np.ndarray = own.request.get_output_tensor(0).data
        return found

    return in_threads(run, paths)


def tfdata(network: str, paths: list[str]) -> Iterator[int]:
    import keras
    import tensorflow as tf

    model = keras.models.load_model(network, compile=False)

    def image(path: Any) -> Any:
        photo = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        side = tf.reduce_min(tf.shape(photo)[:2]) * SIZE // LONGER
        photo = tf.image.resize_with_crop_or_pad(photo, side, side)
        return (tf.image.resize(photo, (SIZE, SIZE), "bicubic", antialias=True) - 127) / 128

    dataset = tf.data.Dataset.from_tensor_slices(paths).map(image, tf.data.AUTOTUNE)
    scores = model.predict(dataset.batch(BATCH).prefetch(tf.data.AUTOTUNE), verbose=0)
    yield from scores.argmax(axis=1).tolist()


def timm(network: str, paths: list[str]) -> Iterator[int]:
    import timm
    import torch

    model = timm.create_model(network, pretrained=False).eval()

    class Photos(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, place: int) -> Any:
            return torch.from_numpy(pixels(paths[place]).transpose(2, 0, 1).copy())

    loader = torch.utils.data.DataLoader(Photos(), batch_size=BATCH, num_workers=CORES)
    with torch.inference_mode():
        for batch in loader:
            yield from model(batch).argmax(dim=1).tolist()


WAYS = {
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "tfdata": tfdata,
    "timm": timm,
}

if __name__ == "__main__":
    way, network, *paths = sys.argv[1:]
    for path, column in zip(paths, WAYS[way](network, paths), strict=True):
        print(path, column)

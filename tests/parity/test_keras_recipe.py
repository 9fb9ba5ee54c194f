"""`imgcls predict` against the usual recipe in plain Keras, on the same weights.

Random weights give nearly uniform scores, so the last layer is scaled until a ranking means
something. The real ImageNet weights are for the tests marked `network`.
"""

from __future__ import annotations

import importlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.files import write_atomically
from imgcls.core.models.table import MODELS
from tests.conftest import Imgcls

PHOTOS = ("cat.jpg", "coffee.jpg")
# Logits of this deviation give the best of 1000 classes a score of 0.1 to 0.5.
DEVIATION = 3.0

Decoded = list[tuple[str, str, float]]


def application(name: str) -> tuple[Any, Any]:
    """Return what builds a model, and the module with its preprocess_input."""
    import keras

    builder = getattr(keras.applications, MODELS[name].builder)
    return builder, importlib.import_module(builder.__module__)


def recipe(model: Any, name: str, photo: Path) -> Decoded:
    """Return the best five as every tutorial gets them: (wnid, label, score)."""
    from keras.utils import img_to_array, load_img

    _, module = application(name)
    size = MODELS[name].preprocessing.size
    image = img_to_array(load_img(photo, target_size=(size, size)))
    batch = module.preprocess_input(np.expand_dims(image, axis=0))
    (decoded,) = module.decode_predictions(model.predict(batch, verbose=0), top=5)
    return [(wnid, label, float(score)) for wnid, label, score in decoded]


def predicted(stdout: str) -> list[Decoded]:
    return [
        [(row["class_id"], row["label"], row["score"]) for row in record["predictions"]]
        for record in json.loads(stdout)
    ]


def same(ours: Decoded, theirs: Decoded) -> None:
    """Hold two rankings against each other; classes of equal scores may change places."""
    np.testing.assert_allclose([row[2] for row in ours], [row[2] for row in theirs], atol=1e-5)
    scores = {row[:2]: row[2] for row in theirs}
    for wnid, label, score in ours:
        assert abs(scores.get((wnid, label), theirs[-1][2]) - score) < 1e-5


@pytest.fixture
def class_index() -> None:
    """Put the file there that decode_predictions would download; other workers read it too."""
    from keras.src.backend.config import keras_home

    # Where it looks, which is settled when it is first imported.
    folder = Path(keras_home()) / "models"
    folder.mkdir(parents=True, exist_ok=True)
    bundled = resources.files("imgcls.core.models") / "imagenet_class_index.json"
    write_atomically(folder / "imagenet_class_index.json", bundled.read_bytes())


def random_model(name: str, photos: list[Path]) -> Any:
    """Build a model with random weights whose scores on a photo are far from uniform."""
    import keras
    from keras.utils import img_to_array, load_img

    keras.utils.set_random_seed(7)
    builder, module = application(name)
    model = builder(weights=None)
    size = MODELS[name].preprocessing.size
    batch = module.preprocess_input(
        np.stack([img_to_array(load_img(photo, target_size=(size, size))) for photo in photos])
    )
    _settle(model, batch)
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    deviation = 0.0
    while not 0.8 * DEVIATION < deviation < 1.2 * DEVIATION:
        # The first scores may be uniform but for rounding: feel for the factor in steps. Least
        # scores of 0 have no logarithm.
        scores = np.asarray(model(batch, training=False), np.float64)
        deviation = float(np.log(np.maximum(scores, 1e-300)).std(axis=1).max())
        factor = np.clip(DEVIATION / max(deviation, 1e-9), 0.01, 100)
        last.set_weights([weight * factor for weight in last.get_weights()])
    return model


def _settle(model: Any, batch: Any) -> None:
    """Give batch normalizations the statistics of a batch: signals neither vanish nor explode.

    In a deep network of fresh weights nothing but rounding would be left of an image.
    """
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(batch, training=True)


def save(model: Any, path: Path) -> None:
    """Write weights as Keras publishes them."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


# One or more of each preprocessing mode and of each input size. Compiling the largest takes
# minutes, and is tested with the table of models; they run on Keras here.
QUICK = [("mobilenet-v2", "keras")]
SLOW = [
    ("resnet50", "litert"),  # caffe 224
    ("mobilenet-v2", "litert"),
    ("vgg16", "auto"),
    ("densenet121", "auto"),  # torch 224
    ("mobilenet-v3-small", "auto"),  # none 224
    ("convnext-tiny", "auto"),
    ("efficientnet-b1", "auto"),  # none 240
    ("efficientnet-b2", "keras"),  # 260
    ("xception", "auto"),  # tf 299
    ("efficientnet-v2-b3", "keras"),  # 300
    ("nasnet-large", "keras"),  # tf 331
    ("efficientnet-b4", "keras"),  # 380
    ("efficientnet-v2-s", "keras"),  # 384
    ("efficientnet-b5", "keras"),  # 456
    ("efficientnet-v2-m", "keras"),  # 480
    ("efficientnet-b6", "keras"),  # 528
    ("efficientnet-b7", "keras"),  # 600
]


def test_each_preprocessing_mode_and_input_size_is_there() -> None:
    from imgcls.core.models.spec import PublishedWeights

    def kinds(names: Any) -> set[Any]:
        rows = [MODELS[name].preprocessing for name in names]
        return {row.scaling for row in rows} | {row.size for row in rows}

    published = [n for n, spec in MODELS.items() if isinstance(spec.weights, PublishedWeights)]
    assert kinds(name for name, _ in QUICK + SLOW) == kinds(published)


@pytest.mark.usefixtures("class_index")
@pytest.mark.parametrize(
    ("name", "engine"), [*QUICK, *(pytest.param(*row, marks=pytest.mark.slow) for row in SLOW)]
)
def test_random_weights(
    name: str, engine: str, samples: Path, tmp_path: Path, imgcls: Imgcls
) -> None:
    import keras

    model = random_model(name, [samples / photo for photo in PHOTOS])
    weights = tmp_path / f"{name}.h5"
    save(model, weights)
    expected = [recipe(model, name, samples / photo) for photo in PHOTOS]
    # The ranking means something.
    assert max(ranked[0][2] for ranked in expected) > 0.05
    assert max(ranked[0][2] - ranked[1][2] for ranked in expected) > 1e-3
    del model
    keras.backend.clear_session()
    done = imgcls(
        *("predict", *PHOTOS, "-m", name, "--weights", weights, "--engine", engine),
        *("--resize", "squash", "--interpolation", "nearest", "-f", "json"),
        cwd=samples,
    )
    assert done.returncode == 0, done.stderr
    for ours, theirs in zip(predicted(done.stdout), expected, strict=True):
        same(ours, theirs)


@pytest.mark.network
@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_imagenet_weights(name: str, samples: Path, imgcls: Imgcls) -> None:
    # Keras downloads its weights and its class index into KERAS_HOME, where imgcls finds them.
    builder, _ = application(name)
    model = builder(weights="imagenet")
    photos = sorted(samples.glob("*.jpg"))
    expected = [recipe(model, name, photo) for photo in photos]
    done = imgcls(
        *("predict", *photos, "-m", name, "--resize", "squash", "--interpolation", "nearest"),
        *("-f", "json"),
    )
    assert done.returncode == 0, done.stderr
    for ours, theirs in zip(predicted(done.stdout), expected, strict=True):
        same(ours, theirs)
    best = dict(zip([photo.name for photo in photos], predicted(done.stdout), strict=True))
    if name == "resnet50":
        assert best["cat.jpg"][0][1] in {"tabby", "tiger_cat", "Egyptian_cat"}

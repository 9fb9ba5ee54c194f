"""Prove that a model file is what it was imported of, and try it on photos of known classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.errors import ImageError, ModelError
from imgcls.core.models.keras_file.describe import ImportedNetwork
from imgcls.core.models.keras_file.recognise import SCALING_CHOICES
from imgcls.core.models.labels import find_class
from imgcls.core.models.model_file import ModelFile, read_model_file
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.library_photos import library_photos
from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
from imgcls.core.pixels.sources import Source

# The greatest difference of a score between the model file and its source.
_MAX_DIFFERENCE = 1e-5
_RANDOM_IMAGES = 8


def prove(
    path: Path, imported: ImportedNetwork, weights: Path, output: Path, photos: list[Uint8Image]
) -> tuple[float, int]:
    """Compare the scores of the written file with those of the source's own Keras model.

    Returns:
        The greatest difference, and the number of real photos that were compared.

    Raises:
        ModelError: they differ.
    """
    from imgcls.core.keras.source_model import build_source, source_outputs

    model, preprocessing = _opened(output)
    size = imported.size
    image = (size, size, 1 if imported.is_grey else 3)
    try:
        source = build_source(imported.tree, imported.file, weights, image)
    except Exception as error:  # Keras checks arguments in many ways
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
        raise ModelError(
            f"{path}: cannot be imported: Keras cannot build it for comparison ({reason})"
        ) from error
    random = np.random.default_rng(0)
    pixels = list(random.integers(0, 256, (_RANDOM_IMAGES, size, size, 3), np.uint8))
    real = [*(_pixels(photo, preprocessing) for photo in library_photos()), *photos]
    difference = 0.0
    for image in (*pixels, *real):
        batch = preprocessing.scale(image[np.newaxis])
        expected = _as_scores(source_outputs(source, batch), imported.ending)
        scores = softmax(np.asarray(model(batch, training=False), np.float32))
        # Python's max would pass over a NaN.
        difference = float(np.maximum(difference, np.abs(scores - expected).max()))
    if not difference <= _MAX_DIFFERENCE:
        raise ModelError(
            f"{path}: cannot be imported: its scores would differ by {difference:.1e} from those "
            "that Keras gives; please report it with the file"
        )
    return difference, len(real)


def _as_scores(outputs: Float32Array, ending: str) -> Float32Array:
    """Return what a network says as scores of two or more classes."""
    if ending == "softmax":
        return outputs
    if ending == "logits":
        return softmax(outputs)
    second = outputs if ending == "sigmoid" else 1 / (1 + np.exp(-outputs))
    return np.concatenate([1 - second, second], axis=1)


def _opened(output: Path) -> tuple[Any, Preprocessing]:
    """Return the Keras model of a written model file, and how its input is made."""
    from imgcls.core.keras.build import build_weighted

    file = read_model_file(output)
    return build_weighted(file.network(output)), file.preprocessing


def _pixels(photo: str, preprocessing: Preprocessing) -> Uint8Image:
    try:
        return load_image(Source(photo), preprocessing).pixels
    except ImageError as error:
        raise ImageError(f"{photo}: {error}") from error


@dataclass(frozen=True)
class KnownPhoto:
    """A photo that shows a class that is known.

    Attributes:
        path: of the photo.
        column: of the class.
        pixels: uint8 (size, size, 3).
    """

    path: str
    column: int
    pixels: Uint8Image


def known_photo(photo: str, label: str, model: ModelFile) -> KnownPhoto:
    """Read a photo to try the model on, before all that takes long.

    Raises:
        ImageError: it cannot be read.
        UsageError: the model has no such class.
    """
    column = find_class(model.class_labels, label)
    return KnownPhoto(photo, column, _pixels(photo, model.preprocessing))


def check_photos(output: Path, file: ModelFile, photos: list[KnownPhoto]) -> list[dict[str, Any]]:
    """Return what the model says of photos with known labels, with each scaling."""
    model, preprocessing = _opened(output)
    found = []
    for one in photos:
        answers = {}
        for scaling in dict.fromkeys((preprocessing.scaling, *SCALING_CHOICES)):
            batch = preprocessing._replace(scaling=scaling).scale(one.pixels[np.newaxis])
            (scores,) = softmax(np.asarray(model(batch, training=False), np.float32))
            answers[scaling] = [file.labels[int(scores.argmax())], float(scores[one.column])]
        found.append({"photo": one.path, "label": file.labels[one.column], "answers": answers})
    return found

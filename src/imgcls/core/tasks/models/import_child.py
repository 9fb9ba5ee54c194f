"""Read a Keras file, write the model file and prove it: the work of a child process."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.child import read_request
from imgcls.core.errors import ImageError, ImgclsError, ModelError, UsageError
from imgcls.core.files import sha256
from imgcls.core.models.foreign_files import KINDS, foreign_kind, refusal
from imgcls.core.models.keras_file.describe import ImportedNetwork, describe
from imgcls.core.models.keras_file.recognise import SCALING_CHOICES, Family
from imgcls.core.models.labels import find_class
from imgcls.core.models.model_file import ModelFile, read_model_file, write_model_file
from imgcls.core.models.spec import DESCRIBED
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import Preprocessing, Scaling, Uint8Image
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.models.child_limits import leave_network, limit_memory, limit_seconds

# The greatest difference of a score between the model file and its source.
_MAX_DIFFERENCE = 1e-5
_RANDOM_IMAGES = 8
# Reading takes the arrays, their float32 copies, and Python itself.
_READING_MEMORY, _READING_FACTOR = 2 * 2**30, 6
# TensorFlow reserves much address space; both models and their activations come to it.
_PROOF_MEMORY, _PROOF_FACTOR = 16 * 2**30, 16
# Seconds of all cores together.
_READING_SECONDS, _READING_SPEED = 60, 2**20  # and bytes a second
_PROOF_SECONDS = 3600


def main() -> None:
    """Do what standard input asks for; the outcome is JSON in the file that it names."""
    leave_network()  # before there is a second thread
    request = json.loads(read_request())
    try:
        outcome = _outcome(request)
    except ImgclsError as error:
        outcome = {"error": str(error), "usage": isinstance(error, UsageError)}
    except MemoryError:
        outcome = {"error": f"{request['file']}: takes far more memory than its size accounts for"}
    Path(request["outcome"]).write_text(json.dumps(outcome))


def _outcome(request: dict[str, Any]) -> dict[str, Any]:
    path, folder, output = (Path(request[key]) for key in ("file", "folder", "output"))
    size = path.stat().st_size
    limit_memory(_READING_MEMORY + _READING_FACTOR * size)
    limit_seconds(_READING_SECONDS + size // _READING_SPEED)
    imported = _described(path, folder, request["size"])
    labels = _labels(request, imported)
    guessed, scaling = _scaling(path, imported, request["scaling"])
    model = _model_file(path, imported, labels, _preprocessing(imported, scaling, request))
    photos = [_known_photo(photo, label, model) for photo, label in request["checks"]]
    write_model_file(output, model, imported.tensors)
    limit_memory(_PROOF_MEMORY + _PROOF_FACTOR * size)
    limit_seconds(_PROOF_SECONDS)
    weights = folder / "model.weights.h5" if zipfile.is_zipfile(path) else path
    difference, real = _prove(path, imported, weights, output, [one.pixels for one in photos])
    return {
        "scaling_guessed": guessed,
        "max_difference": difference,
        "real_images": real,
        "checks": _checks(output, model, photos) if photos else [],
    }


def _described(path: Path, folder: Path, size: int | None) -> ImportedNetwork:
    kind = foreign_kind(path)
    if kind is None:
        raise ModelError(f"{path}: is no Keras model; {KINDS['hdf5'].way_on}")
    if not kind.is_whole_keras:
        raise ModelError(refusal(path))
    try:
        return describe(path, folder, size)
    except ValueError as error:
        raise ModelError(f"{path}: cannot be imported: {error}") from error


def _labels(request: dict[str, Any], imported: ImportedNetwork) -> tuple[str, ...]:
    labels, count = request["labels"], imported.classes
    if labels is None:
        return tuple(f"class_{column}" for column in range(count))
    if len(labels) != count:
        is_sigmoid = imported.ending in ("sigmoid", "logit")
        why = "; one sigmoid tells two classes apart" if is_sigmoid else ""
        raise UsageError(
            f"{request['labels_file']}: has {len(labels)} labels, {request['file']} {count} "
            f"classes{why}"
        )
    return tuple(labels)


def _scaling(path: Path, imported: ImportedNetwork, asked: Scaling | None) -> tuple[bool, Scaling]:
    """Return whether the scaling of the pixels is only likely, and which it is."""
    if asked is not None:
        return False, asked
    if imported.scaled_by:
        return False, "none"
    if imported.family is not None:
        return True, imported.family.scaling
    choices = "; ".join(f"{name}: {words}" for name, words in SCALING_CHOICES.items())
    raise UsageError(
        f"{path}: its network does not scale the pixels itself, and nothing in it says how they "
        f"were scaled for training; say it with `scaling` ({choices})"
    )


def _preprocessing(
    imported: ImportedNetwork, scaling: Scaling, request: dict[str, Any]
) -> Preprocessing:
    family = imported.family or Family("", (), scaling)
    return Preprocessing(
        imported.size,
        imported.size,
        scaling,
        family.interpolation,
        request["resize"] or family.resize,
    )


def _model_file(
    path: Path, imported: ImportedNetwork, labels: tuple[str, ...], preprocessing: Preprocessing
) -> ModelFile:
    family = imported.family
    training = {
        "imported_from": path.name,
        "sha256": sha256(path),
        "written_by": f"Keras {imported.file.version}".strip(),
        "recognised": family.name if family else "a network of its author's own",
        "ended_in": imported.ending,
        "made_grey": imported.is_grey,
        "scaled_by": list(imported.scaled_by),
        "dropped": dict(imported.dropped),
        "folded": dict(imported.folded),
    }
    return ModelFile(
        backbone=DESCRIBED,
        backbone_weights="stored",
        weights_sha256="",
        head=imported.head,
        labels=labels,
        preprocessing=preprocessing,
        described=imported.network,
        training={key: value for key, value in training.items() if value},
        versions={name: metadata.version(name) for name in ("imgcls", "keras", "h5py")},
    )


def _prove(
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
    real = [*(_pixels(photo, preprocessing) for photo in _bundled_photos()), *photos]
    difference = 0.0
    for image in (*pixels, *real):
        batch = preprocessing.scale(image[np.newaxis])
        expected = _as_scores(source_outputs(source, batch), imported.ending)
        scores = softmax(np.asarray(model(batch, training=False), np.float32))
        difference = max(difference, float(np.abs(scores - expected).max()))
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


def _bundled_photos() -> list[str]:
    """Return two photos that come with scikit-learn."""
    package = importlib.util.find_spec("sklearn")
    places = (package.submodule_search_locations if package else None) or []
    return [
        str(photo)
        for place in places
        for photo in sorted(Path(place, "datasets", "images").glob("*.jpg"))
    ]


def _pixels(photo: str, preprocessing: Preprocessing) -> Uint8Image:
    try:
        return load_image(Source(photo), preprocessing).pixels
    except ImageError as error:
        raise ImageError(f"{photo}: {error}") from error


@dataclass(frozen=True)
class _KnownPhoto:
    """A photo that shows a class that is known.

    Attributes:
        path: of the photo.
        column: of the class.
        pixels: uint8 (size, size, 3).
    """

    path: str
    column: int
    pixels: Uint8Image


def _known_photo(photo: str, label: str, model: ModelFile) -> _KnownPhoto:
    """Read a photo to try the model on, before all that takes long.

    Raises:
        ImageError: it cannot be read.
        UsageError: the model has no such class.
    """
    column = find_class(model.class_labels, label)
    return _KnownPhoto(photo, column, _pixels(photo, model.preprocessing))


def _checks(output: Path, file: ModelFile, photos: list[_KnownPhoto]) -> list[dict[str, Any]]:
    """Return what the model says of photos with known labels, with each scaling."""
    model, preprocessing = _opened(output)
    found = []
    for one in photos:
        answers = {}
        for scaling in dict.fromkeys((preprocessing.scaling, *SCALING_CHOICES)):
            batch = replace(preprocessing, scaling=scaling).scale(one.pixels[np.newaxis])
            (scores,) = softmax(np.asarray(model(batch, training=False), np.float32))
            answers[scaling] = [file.labels[int(scores.argmax())], float(scores[one.column])]
        found.append({"photo": one.path, "label": file.labels[one.column], "answers": answers})
    return found

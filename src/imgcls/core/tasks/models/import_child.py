"""Read a Keras file, write the model file and prove it: the work of a child process."""

from __future__ import annotations

import json
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

from imgcls.core.child import read_request
from imgcls.core.errors import ImgclsError, ModelError, UsageError
from imgcls.core.files import sha256
from imgcls.core.keras.start import import_keras
from imgcls.core.models.foreign_files import import_refusal
from imgcls.core.models.keras_file.describe import ImportedNetwork, describe
from imgcls.core.models.keras_file.recognise import SCALING_CHOICES, Family
from imgcls.core.models.model_file import ModelFile, write_model_file
from imgcls.core.models.spec import DESCRIBED
from imgcls.core.pixels.preprocessing import Preprocessing, Scaling
from imgcls.core.tasks.models.child_limits import leave_network, limit_memory, limit_seconds
from imgcls.core.tasks.models.import_proof import check_photos, known_photo, prove

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
    photos = [known_photo(photo, label, model) for photo, label in request["checks"]]
    write_model_file(output, model, imported.tensors)
    limit_memory(_PROOF_MEMORY + _PROOF_FACTOR * size)
    limit_seconds(_PROOF_SECONDS)
    import_keras(alone=True)
    weights = folder / "model.weights.h5" if zipfile.is_zipfile(path) else path
    difference, real = prove(path, imported, weights, output, [one.pixels for one in photos])
    return {
        "scaling_guessed": guessed,
        "max_difference": difference,
        "real_images": real,
        "checks": check_photos(output, model, photos) if photos else [],
    }


def _described(path: Path, folder: Path, size: int | None) -> ImportedNetwork:
    if refused := import_refusal(path):
        raise ModelError(refused)
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
    if described := request["described"]:  # what `export` wrote beside the file
        return Preprocessing(
            imported.size,
            described["resize_to"],
            scaling,
            described["interpolation"],
            request["resize"] or described["resize"],
        )
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

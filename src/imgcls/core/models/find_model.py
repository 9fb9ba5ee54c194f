"""What a user calls a model → its network, labels and preprocessing; nothing is opened yet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from imgcls.core.errors import ModelError, UsageError
from imgcls.core.models.labels import ClassLabel, Language, imagenet_labels
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import Network, find_weights, weights_path
from imgcls.core.pixels.preprocessing import Preprocessing

if TYPE_CHECKING:  # a named model needs nothing of what reads model files
    from imgcls.core.models.familiarity import Familiarity
    from imgcls.core.models.head import Head
    from imgcls.core.models.model_file import ModelFile

# What models are in elsewhere; with one of these it is a file that is meant, and no name.
_FILE_ENDINGS = (".keras", ".h5", ".hdf5", ".tflite", ".onnx", ".pt", ".pth", ".pb", ".pkl")


class FoundModel(NamedTuple):
    """A model whose weights are here, not opened yet.

    Attributes: as those of `Model`.
    """

    network: Network
    preprocessing: Preprocessing
    labels: tuple[ClassLabel, ...]
    head: Head | None = None
    familiarity: Familiarity | None = None


def find_model(
    ref: str, weights: str | None = None, language: Language = "en", *, fetch: bool = True
) -> FoundModel:
    """Return what a name or a model file stands for.

    Args:
        ref: a name from the table of models, or the path of a model file.
        weights: a local weights file for a named model.
        language: of the labels of a named model.
        fetch: whether its weights are wanted; else they need not be where the network says.

    Raises:
        UsageError: weights or a language are given for a file that has its own.
        ModelError: there is no such model, or the file is damaged.
        WeightsError: its weights are missing.
    """
    if is_model_file(ref):
        if weights is not None:
            raise UsageError(f"{ref}: is a model file and has its own weights; leave out `weights`")
        if language != "en":
            raise UsageError(f"{ref}: is a model file and has its own labels; leave out `language`")
        file = open_model_file(ref)
        network = file.network(Path(ref))
        labels, preprocessing = file.class_labels, file.preprocessing
        return FoundModel(network, preprocessing, labels, file.head, file.familiarity)
    spec = find_spec(ref)
    wanted = fetch or weights is not None
    path = find_weights(ref, spec, weights) if wanted else weights_path(spec) or Path()
    network = Network(ref, spec, path)
    return FoundModel(network, spec.preprocessing, imagenet_labels(language))


def is_model_file(ref: str) -> bool:
    """Whether what the user calls a model is the path of a file and not a name."""
    if ref in MODELS:
        return False
    from imgcls.core.models.foreign_files import foreign_kind
    from imgcls.core.models.model_file import ENDING

    return ref.endswith(ENDING) or os.path.isfile(ref) or foreign_kind(Path(ref)) is not None


def open_model_file(ref: str) -> ModelFile:
    """Read what a model file says.

    Raises:
        ModelError: it is damaged, or a model file of another program; the message says how that
            is taken over.
    """
    from imgcls.core.models.foreign_files import refusal
    from imgcls.core.models.model_file import read_model_file

    if reason := refusal(Path(ref)):
        raise ModelError(reason)
    return read_model_file(Path(ref))


def find_spec(name: str) -> ModelSpec:
    """Return the row of a named model.

    Raises:
        ModelError: there is none; the message has the nearest names.
    """
    if name in MODELS:
        return MODELS[name]
    if os.sep in name or name.endswith(_FILE_ENDINGS):
        what = "is a folder, and no model" if os.path.isdir(name) else "no such model file"
        raise ModelError(f"{name}: {what}")
    from imgcls.core.models.model_file import ENDING

    if os.path.isfile(name + ENDING):
        raise ModelError(f"{name}: no such model; did you mean the file {name}{ENDING}?")
    import difflib

    near = difflib.get_close_matches(name.lower().replace("_", "-"), MODELS, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(MODELS)}"
    raise ModelError(f"{name}: no such model; {hint}")

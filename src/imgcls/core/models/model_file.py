"""What `finetune` writes: one .safetensors file with head, labels and preprocessing.

The weights of a frozen backbone are referred to by their hash; a backbone that was trained, or
came from the user's own weights file, lies in the file. Nothing in it can run code.
"""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from imgcls.core.cache import content_id
from imgcls.core.errors import ModelError, UsageError, WeightsError
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.head import Head
from imgcls.core.models.labels import ClassLabel
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.models.spec import DESCRIBED, ModelSpec, described_spec
from imgcls.core.models.table import BACKBONES, MODELS
from imgcls.core.models.tensor_file import TensorFile, open_tensor_file, write_tensor_file
from imgcls.core.models.variant import AS_IT_IS, Variant, varied
from imgcls.core.models.weights import Network, find_weights, weights_path
from imgcls.core.pixels.preprocessing import INTERPOLATIONS, RESIZES, SCALINGS, Preprocessing

ENDING = ".safetensors"
_FORMAT = 1
_MAX_LABELS = 100_000
_MAX_LABEL = 255  # characters
_MAX_HEAD_LAYERS = 4
_MAX_RESIZE_TO = 4096  # pixels
_KEYS = {
    *("format", "backbone", "backbone_weights", "weights_sha256", "network", "head", "labels"),
    *("familiarity", "preprocessing", "features", "training", "metrics", "versions"),
}

BackboneWeights = Literal["own", "stored"]
_DIRECTIONS, _CLOSENESS = "familiarity.directions", "familiarity.closeness"
_BACKBONE_TENSOR = re.compile(r"backbone\.[0-9]{3,4}\.[0-9]{1,2}")


@dataclass(frozen=True)
class ModelFile:
    """What a model file says.

    Attributes:
        backbone: the name of its network; `DESCRIBED` where it is not one of the table.
        backbone_weights: "own" (the network's ImageNet weights, not in the file) or "stored".
        weights_sha256: of the weights file that training began with; empty if from scratch.
        head: the classifier on the features; None for a described network that ends in logits.
        labels: of the classes, in the order of the columns.
        preprocessing: how an image becomes the network's input.
        features: which of a network of the table, as a `Variant` has it; "" for the row's own.
        described: the layers of a network that is not in the table.
        familiarity: what tells how far an image is from those learned; None if unknown.
        training: options and counts of images, for people.
        metrics: loss and accuracy on the validation images, for people.
        versions: of the packages that made it.
    """

    backbone: str
    backbone_weights: BackboneWeights
    weights_sha256: str
    head: Head | None
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    features: str = ""
    described: NetworkDescription | None = None
    familiarity: Familiarity | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def class_labels(self) -> tuple[ClassLabel, ...]:
        """The labels as the columns of the scores have them."""
        return tuple(ClassLabel(label, label) for label in self.labels)

    @property
    def spec(self) -> ModelSpec:
        """The row of its network."""
        if self.described is None:
            return varied(self.backbone, BACKBONES[self.backbone], self.variant)
        return described_spec(self.described, self.preprocessing, has_head=self.head is not None)

    @property
    def variant(self) -> Variant:
        """How its network differs from the row of the table."""
        if self.described is not None:
            return AS_IT_IS
        own = BACKBONES[self.backbone].preprocessing.size
        size = None if self.preprocessing.size == own else self.preprocessing.size
        return Variant(size, self.features)

    def network(self, path: Path) -> Network:
        """Return the network that gives the features.

        Args:
            path: this file, where stored weights are.

        Raises:
            WeightsError: the network's own weights are not here, or are others.
        """
        spec, variant = self.spec, self.variant
        if self.backbone_weights == "stored":
            return Network(self.backbone, spec, path, stored=True, variant=variant)
        weights = find_weights(self.backbone, spec)
        network = Network(self.backbone, spec, weights, variant=variant)
        if network.weights_id != self.weights_sha256 != network.fresh_weights_id():
            raise WeightsError(
                f"{path}: was trained on other weights of {self.backbone} than {network.weights} "
                f"(SHA-256 {self.weights_sha256[:12]}…); put those there"
            )
        return network


def write_model_file(
    path: Path, file: ModelFile, backbone: Mapping[str, np.ndarray] | None = None
) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: the file.
        file: what it says.
        backbone: float32 tensors of a stored backbone, as `keras.stored_backbone.backbone_tensors`
            or `NetworkDescription.tensors` names them.

    Raises:
        OutputError: it cannot be written.
    """
    description = {
        "format": _FORMAT,
        "backbone": file.backbone,
        "backbone_weights": file.backbone_weights,
        "weights_sha256": file.weights_sha256,
        "head": file.head.widths if file.head else [],
        "labels": file.labels,
        "preprocessing": file.preprocessing._asdict(),
        "training": file.training,
        "metrics": file.metrics,
        "versions": file.versions,
    }
    if file.features:
        description["features"] = file.features
    if file.described is not None:
        description["network"] = file.described.to_json()
    tensors = dict(backbone or {})
    for position, (kernel, bias) in enumerate(file.head.layers if file.head else ()):
        tensors |= {f"head.{position}.kernel": kernel, f"head.{position}.bias": bias}
    if file.familiarity is not None:
        directions, closeness = file.familiarity.directions, file.familiarity.closeness
        description["familiarity"] = [directions.shape[1], len(closeness)]
        tensors |= {_DIRECTIONS: directions, _CLOSENESS: closeness}
    write_tensor_file(path, description, tensors)


def read_model_file(path: str | os.PathLike[str]) -> ModelFile:
    """Read and check a model file; of its tensors, only those of head and familiarity are read.

    Raises:
        ModelError: it is no model file, is damaged, or says what cannot be.
    """
    opened = open_tensor_file(Path(path))
    try:
        return _checked(opened)
    except (ValueError, TypeError, KeyError, UsageError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{path}: not a model file that imgcls reads: {reason}") from error


def stored_tensors(path: Path, expected: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Read the backbone that is stored in a model file.

    Args:
        path: the file.
        expected: shapes by name, of the network that the tensors are for.

    Raises:
        ModelError: it is no model file or damaged.
        WeightsError: its tensors are not the network's.
    """
    opened = open_tensor_file(path)
    beside = ("head.", "familiarity.")
    found = {name: shape for name, shape in opened.shapes.items() if not name.startswith(beside)}
    for name in expected.keys() | found.keys():
        if expected.get(name) != found.get(name):
            raise WeightsError(
                f"{path}: its backbone is not the network that it names: {name} is "
                f"{found.get(name, 'missing')}, not {expected.get(name, 'in the network')}"
            )
    return {name: opened.read(name) for name in expected}


def _checked(opened: TensorFile) -> ModelFile:
    description = opened.description
    if unknown := description.keys() - _KEYS:
        raise ValueError(f"it has no place for {str(min(unknown))[:50]!r}")
    if description["format"] != _FORMAT:
        raise ValueError(f"format {str(description['format'])[:20]!r}; this imgcls reads {_FORMAT}")
    backbone, described = _backbone(description)
    weights = _weights(description, backbone)
    labels = check_labels(description["labels"])
    widths = _widths(description["head"], len(labels), described)
    familiarity = _familiarity_shapes(description.get("familiarity"), widths)
    _check_tensors(opened, widths, familiarity, described, stored=weights == "stored")
    file = ModelFile(
        backbone=backbone,
        backbone_weights=weights,
        weights_sha256=description["weights_sha256"],
        head=_read_head(opened, len(widths) - 1) if widths else None,
        labels=labels,
        preprocessing=_preprocessing(description["preprocessing"], backbone, described),
        features=_features(description, described),
        described=described,
        familiarity=_read_familiarity(opened) if familiarity else None,
        training=_object(description, "training"),
        metrics=_object(description, "metrics"),
        versions={
            package: str(version) for package, version in _object(description, "versions").items()
        },
    )
    _ = file.spec  # which refuses a size or features that the network cannot have
    return file


def _features(description: Mapping[str, Any], described: NetworkDescription | None) -> str:
    features = description.get("features", "")
    if not isinstance(features, str) or (features and described is not None):
        raise ValueError("it does not say which features its head stands on")
    return features


def _object(description: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = description[key]
    if not isinstance(value, dict):
        raise ValueError(f"its {key} is no object")
    return value


def _backbone(description: Mapping[str, Any]) -> tuple[str, NetworkDescription | None]:
    """Return the name of the network, and its layers if it is not in the table."""
    backbone = description["backbone"]
    if backbone == DESCRIBED:
        return DESCRIBED, NetworkDescription.from_json(description["network"])
    if not isinstance(backbone, str) or backbone not in BACKBONES:
        raise ValueError(f"{str(backbone)[:50]}: no such network")
    if "network" in description:
        raise ValueError(f"it describes a network, and names {backbone}")
    return backbone, None


def _weights(description: Mapping[str, Any], backbone: str) -> BackboneWeights:
    """Return where the network's weights are."""
    weights: Any = description["backbone_weights"]
    digest = description["weights_sha256"]
    possible = ["own", "stored"] if backbone in MODELS else ["stored"]
    if (
        weights not in possible
        or not isinstance(digest, str)
        or not re.fullmatch(r"[0-9a-f]{64}" if weights == "own" else r"|[0-9a-f]{64}", digest)
    ):
        raise ValueError("it does not say what weights its network has")
    return cast(BackboneWeights, weights)


def check_labels(labels: Any) -> tuple[str, ...]:
    """Return labels that a model file may have.

    Raises:
        ValueError: they are no list, too many, empty, long, twice there or not plain text.
    """
    if not isinstance(labels, list | tuple) or not 2 <= len(labels) <= _MAX_LABELS:
        raise ValueError(f"a model has 2 to {_MAX_LABELS} labels")
    for label in labels:
        if not isinstance(label, str) or not 0 < len(label) <= _MAX_LABEL:
            raise ValueError(f"a label is text of 1 to {_MAX_LABEL} characters")
        if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in label):
            raise ValueError(f"label {label!a} holds control characters")
    if len(set(labels)) != len(labels):
        raise ValueError("a label stands there twice")
    return tuple(labels)


def _widths(
    description: Any, classes: int, described: NetworkDescription | None
) -> tuple[int, ...]:
    """Return the widths of the head; none for a described network that ends in logits."""
    if described is not None:
        output = described.output_shape
        if description == [] and output == (classes,):
            return ()
        if not isinstance(description, list) or list(output) != description[:1]:
            raise ValueError(f"its head does not stand on the {output} of its network")
    if (
        not isinstance(description, list)
        or not 2 <= len(description) <= _MAX_HEAD_LAYERS + 1
        or any(type(width) is not int or width < 1 for width in description)
        or description[-1] != classes
    ):
        raise ValueError("its head does not end in its labels")
    return tuple(description)


def _check_tensors(
    opened: TensorFile,
    widths: tuple[int, ...],
    familiarity: Mapping[str, tuple[int, ...]],
    described: NetworkDescription | None,
    *,
    stored: bool,
) -> None:
    """Compare names, dtypes and shapes with what the description promises."""
    expected = dict(familiarity) if described is None else {**described.tensors, **familiarity}
    for position, (before, after) in enumerate(itertools.pairwise(widths)):
        expected[f"head.{position}.kernel"] = (before, after)
        expected[f"head.{position}.bias"] = (after,)
    of_table = stored and described is None  # compared by `stored_tensors`, as Keras names none
    for name, shape in opened.shapes.items():
        if opened.dtypes[name] != "F32" or not (
            expected.pop(name, None) == shape or (of_table and _is_backbone(name))
        ):
            raise ValueError(f"tensor {name[:50]!r} has no place in it")
    if expected:
        raise ValueError(f"it lacks tensor {next(iter(expected))}")


def _familiarity_shapes(counts: Any, widths: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what tells familiar images, by name; none where the file has it not."""
    if counts is None:
        return {}
    if (
        not widths
        or not isinstance(counts, list)
        or len(counts) != 2
        or any(type(count) is not int or count < 1 for count in counts)
        or counts[0] > widths[0]
    ):
        raise ValueError("its familiarity does not fit its head")
    directions, photos = counts
    return {_DIRECTIONS: (widths[-1], directions, widths[0]), _CLOSENESS: (photos,)}


def _read_familiarity(opened: TensorFile) -> Familiarity:
    directions, closeness = opened.read(_DIRECTIONS), opened.read(_CLOSENESS)
    if (np.diff(closeness) < 0).any() or (np.abs(directions) > 1.01).any():
        raise ValueError("its familiarity is not one that imgcls writes")
    return Familiarity(directions, closeness)


def _is_backbone(name: str) -> bool:
    return _BACKBONE_TENSOR.fullmatch(name) is not None


def _read_head(opened: TensorFile, layers: int) -> Head:
    return Head(
        tuple(
            (opened.read(f"head.{position}.kernel"), opened.read(f"head.{position}.bias"))
            for position in range(layers)
        )
    )


def _preprocessing(
    description: Any, backbone: str, described: NetworkDescription | None
) -> Preprocessing:
    preprocessing = Preprocessing(**description)
    if (
        type(preprocessing.size) is not int
        or (described and (preprocessing.size,) * 2 != described.input_shape[:2])
        or type(preprocessing.resize_to) is not int
        or not preprocessing.size <= preprocessing.resize_to <= _MAX_RESIZE_TO
        or str(preprocessing.scaling) not in SCALINGS
        or str(preprocessing.interpolation) not in INTERPOLATIONS
        or str(preprocessing.resize) not in RESIZES
    ):
        raise ValueError(f"its preprocessing is not one of {backbone}'s")
    return preprocessing


def own_weights(network: Network) -> bool:
    """Whether a network has the weights that its name finds, so that a hash stands for them."""
    own = weights_path(network.spec)
    if own is None or not own.is_file():
        return False
    return own == network.weights or content_id(own, fresh=True) == network.fresh_weights_id()

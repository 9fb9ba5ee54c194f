"""A model file: one .safetensors file with head, labels and preprocessing, read and written.

The weights of a frozen backbone are referred to by their hash; a backbone that was trained, or
came from the user's own weights file, lies in the file. Nothing in it can run code.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.cache import content_id
from imgcls.core.errors import ModelError, UsageError, WeightsError
from imgcls.core.models.backbones import BACKBONES
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.file_description import (
    CLOSENESS,
    DIRECTIONS,
    BackboneWeights,
    backbone_of,
    check_labels,
    familiarity_shapes,
    features_of,
    object_of,
    preprocessing_of,
    weights_of,
    widths_of,
)
from imgcls.core.models.head import Head
from imgcls.core.models.labels import ClassLabel
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.models.spec import ModelSpec, described_spec
from imgcls.core.models.tensor_file import TensorFile, open_tensor_file, write_tensor_file
from imgcls.core.models.variant import AS_IT_IS, Variant, varied
from imgcls.core.models.weights import Network, find_weights, weights_path
from imgcls.core.pixels.preprocessing import Preprocessing

ENDING = ".safetensors"
_FORMAT = 1
_KEYS = {
    *("format", "backbone", "backbone_weights", "weights_sha256", "network", "head", "labels"),
    *("familiarity", "preprocessing", "features", "training", "metrics", "versions"),
}

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
        tensors |= {DIRECTIONS: directions, CLOSENESS: closeness}
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
    backbone, described = backbone_of(description)
    weights = weights_of(description, backbone)
    labels = check_labels(description["labels"])
    widths = widths_of(description["head"], len(labels), described)
    familiarity = familiarity_shapes(description.get("familiarity"), widths)
    _check_tensors(opened, widths, familiarity, described, stored=weights == "stored")
    file = ModelFile(
        backbone=backbone,
        backbone_weights=weights,
        weights_sha256=description["weights_sha256"],
        head=_read_head(opened, len(widths) - 1) if widths else None,
        labels=labels,
        preprocessing=preprocessing_of(description["preprocessing"], backbone, described),
        features=features_of(description, described),
        described=described,
        familiarity=_read_familiarity(opened) if familiarity else None,
        training=object_of(description, "training"),
        metrics=object_of(description, "metrics"),
        versions={
            package: str(version) for package, version in object_of(description, "versions").items()
        },
    )
    _ = file.spec  # which refuses a size or features that the network cannot have
    return file


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


def _read_familiarity(opened: TensorFile) -> Familiarity:
    directions, closeness = opened.read(DIRECTIONS), opened.read(CLOSENESS)
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


def own_weights(network: Network) -> bool:
    """Whether a network has the weights that its name finds, so that a hash stands for them."""
    own = weights_path(network.spec)
    if own is None or not own.is_file():
        return False
    return own == network.weights or content_id(own, fresh=True) == network.fresh_weights_id()

"""What the description in a model file may say: each part is checked, none is trusted.

What is wrong is a ValueError, which `model_file` makes the refusal of the file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, cast

from imgcls.core.models.backbones import BACKBONES
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.models.spec import DESCRIBED
from imgcls.core.models.table import MODELS
from imgcls.core.pixels.preprocessing import INTERPOLATIONS, RESIZES, SCALINGS, Preprocessing

_MAX_LABELS = 100_000
_MAX_LABEL = 255  # characters
_MAX_HEAD_LAYERS = 4
_MAX_RESIZE_TO = 4096  # pixels

BackboneWeights = Literal["own", "stored"]
DIRECTIONS, CLOSENESS = "familiarity.directions", "familiarity.closeness"


def features_of(description: Mapping[str, Any], described: NetworkDescription | None) -> str:
    """Return which features the head stands on; "" for the network's own."""
    features = description.get("features", "")
    if not isinstance(features, str) or (features and described is not None):
        raise ValueError("it does not say which features its head stands on")
    return features


def object_of(description: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return what must be an object."""
    value = description[key]
    if not isinstance(value, dict):
        raise ValueError(f"its {key} is no object")
    return value


def backbone_of(description: Mapping[str, Any]) -> tuple[str, NetworkDescription | None]:
    """Return the name of the network, and its layers if it is not in the table."""
    backbone = description["backbone"]
    if backbone == DESCRIBED:
        return DESCRIBED, NetworkDescription.from_json(description["network"])
    if not isinstance(backbone, str) or backbone not in BACKBONES:
        raise ValueError(f"{str(backbone)[:50]}: no such network")
    if "network" in description:
        raise ValueError(f"it describes a network, and names {backbone}")
    return backbone, None


def weights_of(description: Mapping[str, Any], backbone: str) -> BackboneWeights:
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


def widths_of(
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


def familiarity_shapes(counts: Any, widths: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
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
    return {DIRECTIONS: (widths[-1], directions, widths[0]), CLOSENESS: (photos,)}


def preprocessing_of(
    description: Any, backbone: str, described: NetworkDescription | None
) -> Preprocessing:
    """Return how the input of the network is made."""
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

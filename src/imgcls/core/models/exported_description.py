"""What goes along with an exported model: its input, its labels; as JSON, and read again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.preprocessing import (
    INTERPOLATIONS,
    RESIZES,
    SCALINGS,
    Preprocessing,
    Uint8Image,
)

# What the JSON says of itself.
KIND = "imgcls export 1"
# What is added to the name of the file that it lies beside.
BESIDE = ".json"
_MAX_BYTES = 32 * 2**20
_MAX_RESIZE_TO = 4096  # pixels


@dataclass(frozen=True)
class ExportedDescription:
    """What a user of an exported model must know to get the scores that imgcls gives.

    Attributes:
        model: what was exported.
        preprocessing: how an image becomes the network's input.
        labels: of the columns of its output.
        is_uint8: whether it scales the pixels itself.
        takes_bgr: whether its input is blue, green, red.
    """

    model: str
    preprocessing: Preprocessing
    labels: tuple[ClassLabel, ...]
    is_uint8: bool = False
    takes_bgr: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as an object of JSON, all in one level."""
        made = self.preprocessing
        scaling = SCALINGS["none" if self.is_uint8 else made.scaling]
        step = -1 if scaling.bgr and not self.takes_bgr else 1
        return {
            "kind": KIND,
            "model": self.model,
            "size": made.size,
            "resize": made.resize,
            "resize_to": made.resize_to,
            "border": self._border,
            "interpolation": made.interpolation,
            "channels": "BGR" if self.takes_bgr else "RGB",
            "dtype": "uint8" if self.is_uint8 else "float32",
            "mean": list(scaling.mean[::step]),
            "std": list(scaling.std[::step]),
            "scaling": "none" if self.is_uint8 else made.scaling,
            "labels": [label.label for label in self.labels],
            "class_ids": [label.class_id for label in self.labels],
        }

    @property
    def _border(self) -> float:
        """The part of an image that the centre crop leaves out at each edge, as `ImageOps.fit`."""
        made = self.preprocessing
        if made.resize != "crop":
            return 0.0
        return (1 - min(1.0, made.size / made.resize_to)) / 2


def scaled_as_described(pixels: Uint8Image, described: Mapping[str, Any]) -> np.ndarray:
    """Return pixels (n, h, w, 3) as a description says that the model takes them."""
    if described["dtype"] == "uint8":
        return pixels
    if described["channels"] == "BGR":
        pixels = pixels[..., ::-1]
    mean, std = (np.array(described[key], np.float32) for key in ("mean", "std"))
    batch: Float32Array = (pixels.astype(np.float32) - mean) / std
    return batch


def description_beside(model: Path) -> dict[str, Any] | None:
    """Return the description that `export` wrote beside a Keras file; None if there is none.

    Raises:
        ValueError: it is damaged.
    """
    path = model.with_name(model.name + BESIDE)
    if not path.is_file() or path.stat().st_size > _MAX_BYTES:
        return None
    try:
        described: dict[str, Any] = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    if not is_description(described):
        return None
    number = described.get("resize_to")
    if (
        described.get("resize") not in RESIZES
        or described.get("interpolation") not in INTERPOLATIONS
        or described.get("scaling") not in SCALINGS
        or type(number) is not int
        or not 1 <= number <= _MAX_RESIZE_TO
    ):
        raise ValueError("it does not say how images become the input")
    return described


def is_description(content: Any) -> bool:
    """Whether JSON is what `export` writes."""
    return isinstance(content, dict) and content.get("kind") == KIND


def distinct_labels(described: Mapping[str, Any]) -> list[Any]:
    """Return the labels; those that several classes have, as two of ImageNet's, with their ids."""
    labels, ids = described.get("labels"), described.get("class_ids")
    if not isinstance(labels, list) or not isinstance(ids, list) or len(labels) != len(ids):
        return []
    counts = Counter(map(str, labels))
    return [
        f"{label} ({class_id})" if counts[str(label)] > 1 else label
        for label, class_id in zip(labels, ids, strict=True)
    ]

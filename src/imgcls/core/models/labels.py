"""What the columns of the scores mean."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class ClassLabel:
    """One class of a model.

    Attributes:
        class_id: the wnid of an ImageNet class (`n02123159`); the label of a user's class.
        label: its name (`tiger_cat`).
    """

    class_id: str
    label: str


@cache
def imagenet_labels() -> tuple[ClassLabel, ...]:
    """Return the 1000 ImageNet classes in the order of the scores' columns.

    The file is Keras' `imagenet_class_index.json`, byte for byte, so labels are written
    exactly as `decode_predictions` writes them.
    """
    # importlib.resources would cost ten times what reading the file does.
    with open(os.path.join(os.path.dirname(__file__), "imagenet_class_index.json"), "rb") as file:
        index: dict[str, tuple[str, str]] = json.load(file)
    return tuple(ClassLabel(*index[str(column)]) for column in range(len(index)))

"""Which folder of a labelled set is for what, as its name says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Split = Literal["all", "train", "validation", "test"]

# A folder's name begins or ends with one of these words: train_data, seg_train, TestSet, val2017.
SPLIT_WORDS: Mapping[Split, frozenset[str]] = {
    "train": frozenset({"train", "training", "trainset", "traindata"}),
    "validation": frozenset({"val", "valid", "validation", "valset", "dev"}),
    "test": frozenset({"test", "testing", "testset", "testdata"}),
}

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def split_of(name: str) -> Split | None:
    """Return what a folder is for by its name's first word, else its last; None for no split."""
    words = [word.lower() for word in _WORD.findall(name)]
    for word in (*words[:1], *words[-1:]):
        for split, known in SPLIT_WORDS.items():
            if word in known:
                return split
    return None

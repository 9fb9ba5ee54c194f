"""Labels: what each column of the scores means, and the classes of ImageNet."""

from __future__ import annotations

import os
from functools import cache
from typing import Literal, NamedTuple, get_args

from imgcls.core.errors import UsageError

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class ClassLabel(NamedTuple):
    """One class of a model.

    Attributes:
        class_id: the wnid of an ImageNet class (`n02123159`); the label of a user's class.
        label: its name (`tiger_cat`).
    """

    class_id: str
    label: str


def find_class(labels: tuple[ClassLabel, ...], text: str) -> int:
    """Return the column of a class named by its label, its id or its number.

    Case does not matter, nor which form of Unicode an accent is in, and a space or hyphen is
    as good as an underscore. A label or id goes
    before a number.

    Raises:
        UsageError: there is no such class, or several have this label.
    """
    wanted = _plain(text)
    for names in ([c.class_id for c in labels], [c.label for c in labels]):
        columns = [column for column, name in enumerate(names) if _plain(name) == wanted]
        if len(columns) > 1:
            ids = " or ".join(labels[column].class_id or str(column) for column in columns)
            raise UsageError(f"{text}: {len(columns)} classes have this label; say {ids}")
        if columns:
            return columns[0]
    if text.isdecimal() and int(text) < len(labels):
        return int(text)
    raise UsageError(
        f"{text}: no such class; did you mean {' or '.join(_nearest(labels, wanted))}?"
    )


def _plain(name: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", name).lower().replace(" ", "_").replace("-", "_")


def _nearest(labels: tuple[ClassLabel, ...], wanted: str) -> list[str]:
    """Return the three labels most like a name; those that have it as a word come first."""
    import difflib

    matcher = difflib.SequenceMatcher(b=wanted)

    def likeness(label: str) -> tuple[bool, float]:
        matcher.set_seq1(_plain(label))
        return wanted in _plain(label).split("_"), matcher.ratio()

    return sorted({c.label for c in labels}, key=lambda label: (likeness(label), label))[:-4:-1]


@cache
def imagenet_labels(language: Language = "en") -> tuple[ClassLabel, ...]:
    """Return the 1000 ImageNet classes in the order of the scores' columns.

    The English file is Keras' `imagenet_class_index.json`, byte for byte, so labels are written
    exactly as `decode_predictions` writes them. The ids are the same in each language.

    Raises:
        UsageError: they are not known in this language.
    """
    if language == "zh":
        ids = [label.class_id for label in imagenet_labels()]
        return tuple(map(ClassLabel, ids, _lines("imagenet_zh.txt")))
    if language != "en":
        raise UsageError(f"{language}: no such language; choose one of {', '.join(LANGUAGES)}")
    import json

    # importlib.resources would cost ten times what reading the file does.
    with open(os.path.join(os.path.dirname(__file__), "imagenet_class_index.json"), "rb") as file:
        index: dict[str, tuple[str, str]] = json.load(file)
    return tuple(ClassLabel(*index[str(column)]) for column in range(len(index)))


def _lines(name: str) -> list[str]:
    """Return the lines of a file beside this one, without its comment."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if not line.startswith("#")]

"""ImageNet's labels, as Keras writes them."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.models.labels import ClassLabel, Language, imagenet_labels

# What keras.applications.imagenet_utils expects of the file that it downloads.
KERAS_MD5 = "c2c37ea517e94d9795004a39431a14cb"


def bundled() -> bytes:
    return resources.files("imgcls.core.models").joinpath("imagenet_class_index.json").read_bytes()


def test_file_is_that_of_keras() -> None:
    assert hashlib.md5(bundled(), usedforsecurity=False).hexdigest() == KERAS_MD5


def test_labels() -> None:
    labels = imagenet_labels()
    assert len(labels) == 1000
    assert labels[0] == ClassLabel("n01440764", "tench")
    assert labels[282] == ClassLabel("n02123159", "tiger_cat")
    assert labels[999] == ClassLabel("n15075141", "toilet_tissue")
    assert len({label.class_id for label in labels}) == 1000


def test_chinese_labels() -> None:
    labels = imagenet_labels("zh")
    assert [label.class_id for label in labels] == [label.class_id for label in imagenet_labels()]
    assert (labels[1].label, labels[985].label, labels[999].label) == ("金鱼", "雏菊", "卫生纸")
    assert all(label.label == label.label.strip() != "" for label in labels)
    # As in English, few classes share a name.
    assert len({label.label for label in labels}) == 999


def test_another_language() -> None:
    with pytest.raises(UsageError, match="fr: no such language; choose one of en, zh"):
        imagenet_labels(cast(Language, "fr"))


def test_labels_are_what_decode_predictions_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras.src.applications import imagenet_utils

    (tmp_path / "index.json").write_bytes(bundled())

    def get_file(*_: object, file_hash: str, **__: object) -> str:
        assert file_hash == KERAS_MD5
        return str(tmp_path / "index.json")

    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", None)
    monkeypatch.setattr(imagenet_utils.file_utils, "get_file", get_file)
    scores = np.linspace(1, 0, 1000, dtype=np.float32)[np.newaxis]
    (decoded,) = imagenet_utils.decode_predictions(scores, top=1000)
    assert [(wnid, label) for wnid, label, _ in decoded] == [
        (label.class_id, label.label) for label in imagenet_labels()
    ]

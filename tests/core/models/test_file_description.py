"""Each part of a description by itself; whole files are in test_model_file.py."""

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models import file_description
from imgcls.core.models.file_description import (
    backbone_of,
    check_labels,
    familiarity_shapes,
    features_of,
    object_of,
    preprocessing_of,
    weights_of,
    widths_of,
)
from imgcls.core.models.table import MODELS

DIGEST = "0" * 64
LITE0 = "efficientnet-lite0"


def test_labels() -> None:
    assert check_labels(["cat", "dög", "猫"]) == ("cat", "dög", "猫")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("cat", "a model has 2 to"),
        (["cat"], "a model has 2 to"),
        (["cat", ""], "a label is text of 1 to 255 characters"),
        (["cat", "x" * 256], "a label is text of 1 to 255 characters"),
        (["cat", 1], "a label is text of 1 to 255 characters"),
        (["cat", "a\nb"], "holds control characters"),
        (["cat", "cat"], "a label stands there twice"),
    ],
)
def test_labels_that_are_none(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_labels(labels)


def test_too_many_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_description, "_MAX_LABELS", 2)
    with pytest.raises(ValueError, match="a model has 2 to 2 labels"):
        check_labels(["a", "b", "c"])


@pytest.mark.parametrize("backbone", [None, 1, "no-such", ["vgg16"]])
def test_a_backbone_that_is_none(backbone: Any) -> None:
    assert backbone_of({"backbone": "vgg16"}) == ("vgg16", None)
    with pytest.raises(ValueError, match="no such network"):
        backbone_of({"backbone": backbone})


@pytest.mark.parametrize(
    ("backbone", "weights", "digest"),
    [
        ("vgg16", "other", DIGEST),
        ("vgg16", "own", ""),
        ("vgg16", "own", DIGEST.replace("0", "G")),
        ("vgg16", "own", 0),
        ("simple-cnn", "own", DIGEST),  # has none
    ],
)
def test_weights_that_are_none(backbone: str, weights: str, digest: Any) -> None:
    known = {"backbone_weights": "stored", "weights_sha256": ""}
    assert weights_of(known, "simple-cnn") == "stored"
    with pytest.raises(ValueError, match="what weights its network has"):
        weights_of({"backbone_weights": weights, "weights_sha256": digest}, backbone)


@pytest.mark.parametrize("widths", [None, [], [2], [1280, 3], [0, 2], [1.0, 2], [1, 1, 1, 1, 1, 2]])
def test_a_head_that_is_none(widths: Any) -> None:
    assert widths_of([1280, 256, 2], 2, None) == (1280, 256, 2)
    with pytest.raises(ValueError, match="its head does not end in its labels"):
        widths_of(widths, 2, None)


def test_familiarity_stands_on_the_head() -> None:
    assert familiarity_shapes(None, (1280, 2)) == {}
    shapes = familiarity_shapes([32, 100], (1280, 2))
    assert list(shapes.values()) == [(2, 32, 1280), (100,)]
    for counts in ([32], [0, 1], [1281, 1], [1, True], "ab"):
        with pytest.raises(ValueError, match="its familiarity does not fit its head"):
            familiarity_shapes(counts, (1280, 2))


def test_preprocessing() -> None:
    own = MODELS[LITE0].preprocessing
    described = own._asdict()
    assert preprocessing_of(described, LITE0, None) == own
    for change in ({"size": 224.0}, {"resize_to": 9999}, {"resize": "bend"}, {"scaling": []}):
        with pytest.raises(ValueError, match=f"not one of {LITE0}'s"):
            preprocessing_of(described | change, LITE0, None)


def test_features_and_objects() -> None:
    assert (features_of({}, None), features_of({"features": "fc2"}, None)) == ("", "fc2")
    with pytest.raises(ValueError, match="which features"):
        features_of({"features": 1}, None)
    with pytest.raises(ValueError, match="its metrics is no object"):
        object_of({"metrics": []}, "metrics")

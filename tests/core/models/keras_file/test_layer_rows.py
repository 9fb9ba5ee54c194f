"""Classes of Keras and their arguments in our words, where Keras' own defaults matter."""

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models.keras_file.layer_rows import DROPPED, ROWS, activation_of, number
from imgcls.core.models.layer_kinds import LAYER_KINDS


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("MaxPooling2D", {"pool_size": 3}, {"pool_size": (3, 3), "strides": (3, 3)}),
        ("MaxPooling2D", {"pool_size": [3, 2], "strides": [1, 1]}, {"strides": (1, 1)}),
        ("ZeroPadding2D", {"padding": [[1, 0], [2, 3]]}, {"padding": ((1, 0), (2, 3))}),
        ("ZeroPadding2D", {"padding": [1, 2]}, {"padding": ((1, 1), (2, 2))}),
        ("Cropping2D", {"cropping": 1}, {"cropping": ((1, 1), (1, 1))}),
        ("BatchNormalization", {"scale": False}, {"scale": False, "center": True}),
        ("BatchNormalization", {}, {"epsilon": 1e-3}),
        ("LeakyReLU", {}, {"negative_slope": 0.3}),
        ("LeakyReLU", {"alpha": 0.1}, {"negative_slope": 0.1}),  # of Keras 2
        ("LeakyReLU", {"alpha": 0.1, "negative_slope": 0.2}, {"negative_slope": 0.2}),
        ("ReLU", {"max_value": 6, "negative_slope": None}, {"max_value": 6, "threshold": 0.0}),
        ("Resizing", {"height": 4, "width": 5}, {"interpolation": "bilinear"}),
        ("UpSampling2D", {}, {"size": (2, 2), "interpolation": "nearest"}),
        ("Dense", {"units": 3}, {"units": 3, "use_bias": True}),
        ("Conv2D", {"kernel_size": 3, "filters": 2}, {"kernel_size": (3, 3), "groups": 1}),
    ],
)
def test_arguments(kind: str, config: dict[str, Any], expected: dict[str, Any]) -> None:
    arguments = ROWS[kind].arguments(config)
    assert {name: arguments[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("kind", "config", "message"),
    [
        ("Conv2D", {"data_format": "channels_first"}, "build the network with channels_last"),
        ("GlobalAveragePooling2D", {"data_format": "channels_first"}, "its channels in front"),
        ("LayerNormalization", {"rms_scaling": True}, "scales by the root mean square"),
        ("Resizing", {"crop_to_aspect_ratio": True}, "crops or pads what it resizes"),
        ("Softmax", {"axis": 1}, "its softmax is not over the classes"),
        ("Rescaling", {"scale": "1"}, "1 is no number"),
    ],
)
def test_what_computes_something_else_is_refused(
    kind: str, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ROWS[kind].arguments(config)


def test_rows_lead_to_kinds_that_there_are() -> None:
    assert {row.kind for row in ROWS.values()} <= LAYER_KINDS.keys()
    assert not DROPPED & ROWS.keys()
    assert "RandomCrop" not in DROPPED  # crops the middle once the network is trained


def test_numbers_are_unwrapped() -> None:
    wrapped = {"class_name": "__numpy__", "config": {"value": [1.5, 2], "dtype": "float32"}}
    assert number(wrapped) == [1.5, 2]
    assert number((1, [2, 3.5])) == [1, [2, 3.5]]
    for value in (True, "1", None):
        with pytest.raises(ValueError, match="is no number"):
            number(value)


def test_activations() -> None:
    assert activation_of(None) == "linear"
    assert activation_of("swish") == "silu"
    assert activation_of({"class_name": "function", "config": "relu6"}) == "relu6"
    assert activation_of({"class_name": "ReLU", "config": {"max_value": 6}}) == (
        "ReLU",
        {"max_value": 6},
    )
    with pytest.raises(ValueError, match="code of its author"):
        activation_of(["lambda"])

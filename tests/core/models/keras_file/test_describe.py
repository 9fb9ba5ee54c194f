"""The whole way from a file to a described network, of networks written down by hand.

Files that Keras 3 and Keras 2 saved: test_describe_keras3.py, test_describe_keras2.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.arrays import Float32Array
from imgcls.core.models.keras_file import describe
from imgcls.core.models.keras_file.contents import KerasFile
from imgcls.core.models.keras_file.describe import ImportedNetwork

CONV = {"filters": 2, "kernel_size": [1, 1]}
KERNEL = np.arange(6, dtype=np.float32).reshape(1, 1, 3, 2)
DENSE = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
ARRAYS = {
    "layers/conv2d/vars/0": KERNEL,
    "layers/conv2d/vars/1": np.array([1, -1], np.float32),
    "layers/dense/vars/0": DENSE,
    "layers/dense/vars/1": np.array([7, 8, 9], np.float32),
}
Describe = Callable[..., ImportedNetwork]


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Describe:
    """Return what describes a Sequential of some layers, as if it had been read from a file."""

    def run(
        *layers: dict[str, Any],
        shape: Any = (None, 8, 8, 3),
        arrays: dict[str, Float32Array] = ARRAYS,
        size: int | None = None,
    ) -> ImportedNetwork:
        image = layer("image", "InputLayer", batch_shape=shape)
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [image, *layers]}}
        file = KerasFile(config, "3.1.0", arrays, None)
        monkeypatch.setattr(describe, "read_keras_file", lambda *_: file)
        return describe.describe(tmp_path / "m.keras", tmp_path, size)

    return run


def layer(name: str, kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, **config}}


def classifier(**dense: Any) -> list[dict[str, Any]]:
    """Return scaled pixels, two channels, their means and three classes."""
    return [
        layer("scale", "Rescaling", scale=0.5, offset=0.0),
        layer("flip", "RandomFlip"),
        layer("conv", "Conv2D", **CONV),
        layer("pool", "GlobalAveragePooling2D"),
        layer("drop", "Dropout", rate=0.5),
        layer("scores", "Dense", **{"units": 3, "activation": "softmax", **dense}),
    ]


def test_a_classifier_is_layers_and_a_head(described: Describe) -> None:
    found = described(*classifier())
    assert [(one.name, one.kind) for one in found.network.layers] == [
        ("image", "input"),
        ("scale", "rescaling"),
        ("conv", "conv2d"),
        ("pool", "global_average_pooling2d"),
    ]
    assert (found.ending, found.classes, found.size) == ("softmax", 3, 8)
    assert found.head is not None
    ((kernel, bias),) = found.head.layers
    np.testing.assert_array_equal(kernel, DENSE)
    np.testing.assert_array_equal(bias, [7, 8, 9])
    assert list(found.tensors) == ["network.conv.kernel", "network.conv.bias"]
    np.testing.assert_array_equal(found.tensors["network.conv.kernel"], KERNEL)


def test_what_else_is_known_of_it(described: Describe) -> None:
    found = described(*classifier())
    assert (found.scaled_by, found.family) == (("scale",), None)
    assert (found.dropped, found.folded) == ({"RandomFlip": 1, "Dropout": 1}, {})
    assert not found.is_grey
    assert (found.file.version, found.tree.kind) == ("3.1.0", "Sequential")


def test_without_a_head_the_network_ends_in_logits(described: Describe) -> None:
    arrays = {name: array for name, array in ARRAYS.items() if "conv" in name}
    layers = [
        layer("conv", "Conv2D", **CONV),
        layer("pool", "GlobalAveragePooling2D"),
        layer("softmax", "Softmax", axis=-1, dtype="float32"),
    ]
    found = described(*layers, arrays=arrays)
    assert (found.head, found.ending, found.classes) == (None, "softmax", 2)
    assert found.network.layers[-1].name == "pool"


def test_one_sigmoid_is_two_classes(described: Describe) -> None:
    arrays = ARRAYS | {
        "layers/dense/vars/0": DENSE[:, :1],
        "layers/dense/vars/1": np.array([7], np.float32),
    }
    found = described(*classifier(units=1, activation="sigmoid"), arrays=arrays)
    assert (found.ending, found.classes) == ("sigmoid", 2)
    assert found.head is not None and found.head.widths == (2, 2)


def test_a_family_is_known_by_its_layers(described: Describe) -> None:
    arrays = {
        **{name.replace("conv2d", "separable_conv2d"): array for name, array in ARRAYS.items()},
        "layers/separable_conv2d/vars/0": np.ones((1, 1, 3, 1), np.float32),
        "layers/separable_conv2d/vars/1": np.ones((1, 1, 3, 2), np.float32),
        "layers/separable_conv2d/vars/2": np.zeros(2, np.float32),
    }
    conv = layer("block14_sepconv2", "SeparableConv2D", **CONV)
    found = described(conv, *classifier()[3:], arrays=arrays)
    assert found.family is not None and found.family.name == "Xception"
    assert found.scaled_by == ()


@pytest.mark.parametrize(
    ("shape", "wanted", "size"),
    [
        ((None, 8, 8, 3), None, 8),
        ((None, 8, 8, 3), 8, 8),
        ((None, None, None, 3), None, 224),
        ((None, None, None, 3), 40, 40),
        ((None, None, 48, 3), None, 48),
        ((None, 48, None, 3), None, 48),
    ],
)
def test_a_size_that_the_network_leaves_open_is_chosen(
    described: Describe, shape: tuple[Any, ...], wanted: int | None, size: int
) -> None:
    found = described(*classifier(), shape=shape, size=wanted)
    assert (found.size, found.network.input_shape) == (size, (size, size, 3))


def test_grey_images_are_made_grey_in_the_network(described: Describe) -> None:
    arrays = ARRAYS | {"layers/conv2d/vars/0": KERNEL[:, :, :1]}
    found = described(*classifier(), shape=(None, 8, 8, 1), arrays=arrays)
    assert found.is_grey and found.network.input_shape == (8, 8, 3)
    assert [one.name for one in found.network.layers[:3]] == ["image", "grey", "scale"]
    grey = found.tensors["network.grey.kernel"].ravel()
    np.testing.assert_array_equal(grey, np.array([0.299, 0.587, 0.114], np.float32))
    assert found.scaled_by == ("scale",)


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        ((None, 8, 12, 3), None, "it takes images of 12×8 pixels; imgcls gives square ones"),
        ((None, 8, 8, 3), 16, "it takes images of 8×8 pixels only"),
        ((None, 8, 8, 4), None, "its input is 8×8×4, no image"),
        ((None, 784), None, "its input is 784, no image"),
        ((None, None), None, "its input is any, no image"),
        ((None,), None, "its input is a number, no image"),
        ((), None, "it does not say what size its images have: it was never built"),
        (7, None, "it does not say what size its images have"),
    ],
)
def test_inputs_that_are_no_images(
    described: Describe, shape: Any, size: int | None, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        described(*classifier(), shape=shape, size=size)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (
            "layers/dense/vars/1",
            "layer scores (Dense): the file lacks its weights layers/dense/vars/1",
        ),
        ("layers/dense", "it holds weights of 0 dense, the network 1"),
    ],
)
def test_weights_that_are_not_there(described: Describe, lost: str, message: str) -> None:
    arrays = {name: array for name, array in ARRAYS.items() if not name.startswith(lost)}
    with pytest.raises(ValueError) as caught:
        described(*classifier(), arrays=arrays)
    assert str(caught.value) == message


def test_weights_of_another_shape(described: Describe) -> None:
    with pytest.raises(ValueError, match=r"^layer scores \(Dense\): its weights have other shapes"):
        described(*classifier(units=4))


@pytest.mark.parametrize(
    ("inputs", "results", "message"),
    [
        (2, 1, "it takes 2 inputs, where imgcls has one image"),
        (1, 2, "it gives 2 results, as a detector does; imgcls takes classifiers"),
    ],
)
def test_one_image_in_and_one_result_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inputs: int, results: int, message: str
) -> None:
    images = [layer(f"i{n}", "InputLayer", batch_shape=[None, 8, 8, 3]) for n in range(2)]
    config = {
        "name": "m",
        "layers": images,
        "input_layers": [[f"i{n}", 0, 0] for n in range(inputs)],
        "output_layers": [[f"i{n}", 0, 0] for n in range(results)],
    }
    file = KerasFile({"class_name": "Functional", "config": config}, "3.1.0", {}, None)
    monkeypatch.setattr(describe, "read_keras_file", lambda *_: file)
    with pytest.raises(ValueError) as caught:
        describe.describe(tmp_path / "m.keras", tmp_path)
    assert str(caught.value) == message

"""Which arrays of a Keras file belong to which layer: by running number, name or order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from imgcls.core.models.keras_file.contents import KerasFile
from imgcls.core.models.keras_file.tree import SourceLayer
from imgcls.core.models.keras_file.variables import find_arrays, variables

NOTHING = np.zeros(1, np.float32)


def file(*paths: str, names: Mapping[str, list[str]] | None = None) -> KerasFile:
    return KerasFile({}, "3.0", dict.fromkeys(paths, NOTHING), names)


def layer(name: str, kind: str = "Dense", **config: Any) -> SourceLayer:
    return SourceLayer(name, kind, config)


def model(name: str, *layers: SourceLayer, **config: Any) -> SourceLayer:
    return SourceLayer(name, "Functional", config, layers=layers)


def found(tree: SourceLayer, source: KerasFile) -> dict[str, dict[str, str]]:
    return {layer.name: places for layer, places in find_arrays(tree, source).items()}


def test_weights_in_the_order_of_keras() -> None:
    assert variables("Conv2D", {"use_bias": False}) == ("kernel",)
    assert variables("SeparableConv2D", {}) == ("depthwise_kernel", "pointwise_kernel", "bias")
    assert variables("BatchNormalization", {"scale": False}) == (
        *("beta", "moving_mean", "moving_variance"),
    )
    assert variables("Normalization", {"mean": None}) == ("mean", "variance", "count")
    assert variables("Normalization", {"mean": [1.0]}) == ()
    assert variables("ReLU", {}) == ()


def test_a_keras_file_numbers_the_layers_of_a_class() -> None:
    # The tenth comes after the second, and layers without weights are not counted.
    layers = [layer(f"d{i}", use_bias=False) for i in range(11)]
    places = ["layers/dense", *(f"layers/dense_{i}" for i in range(1, 11))]
    source = file(*(f"{place}/vars/0" for place in sorted(places)), "layers/relu/seed_generator/0")
    assert found(model("m", layer("r", "ReLU"), *layers), source) == {
        f"d{i}": {"kernel": f"{place}/vars/0"} for i, place in enumerate(places)
    }


def test_a_model_in_a_model_has_numbers_of_its_own() -> None:
    tree = model("m", layer("d"), model("inner", layer("d")))
    source = file(
        *(f"layers/dense/vars/{i}" for i in range(2)),
        *(f"layers/functional/layers/dense/vars/{i}" for i in range(2)),
    )
    places = list(find_arrays(tree, source).values())
    assert places[0] == {"kernel": "layers/dense/vars/0", "bias": "layers/dense/vars/1"}
    assert places[1]["bias"] == "layers/functional/layers/dense/vars/1"


def test_an_h5_file_has_names() -> None:
    names = {"d": ["d/bias:0", "d/kernel:0"]}
    source = file("model_weights/d/d/bias:0", "model_weights/d/d/kernel:0", names=names)
    assert found(model("m", layer("d"), layer("r", "ReLU")), source) == {
        "d": {"kernel": "model_weights/d/d/kernel:0", "bias": "model_weights/d/d/bias:0"}
    }


def test_without_names_that_say_it_trained_weights_come_first() -> None:
    inner = model("inner", layer("frozen", use_bias=False, trainable=False), layer("d"))
    paths = [f"w{i}/x:0" for i in range(3)]
    source = file(*(f"model_weights/inner/{path}" for path in paths), names={"inner": paths})
    assert found(model("m", inner), source) == {
        "d": {"kernel": "model_weights/inner/w0/x:0", "bias": "model_weights/inner/w1/x:0"},
        "frozen": {"kernel": "model_weights/inner/w2/x:0"},
    }
    norm = layer("n", "BatchNormalization")
    paths = [f"w{i}/x:0" for i in range(4)]
    source = file(*(f"model_weights/n/{path}" for path in paths), names={"n": paths})
    assert list(found(model("m", norm), source)["n"]) == [
        *("gamma", "beta", "moving_mean", "moving_variance")
    ]


def test_refused() -> None:
    tree = model("m", layer("a"), layer("b"))
    with pytest.raises(ValueError, match="it holds weights of 1 dense, the network 2"):
        find_arrays(tree, file("layers/dense/vars/0"))
    with pytest.raises(ValueError, match="it holds no weights of layer a"):
        find_arrays(tree, file(names={}))
    with pytest.raises(ValueError, match="it does not hold the weights of layer a"):
        find_arrays(tree, file(names={"a": ["a/kernel:0"]}))
    with pytest.raises(ValueError, match="it does not hold the weights of layer a"):
        find_arrays(tree, file(names={"a": ["a/kernel:0", "a/bias:0"]}))


def test_a_line_break_in_the_name_of_a_group_is_no_crash() -> None:
    with pytest.raises(ValueError, match="it holds weights of 0 dense, the network 1"):
        find_arrays(model("m", layer("d")), file("layers/dense\nx/vars/0"))

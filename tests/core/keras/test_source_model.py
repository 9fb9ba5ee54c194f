"""The model as its author made it: built of Keras' own layers, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.arrays import Float32Array
from imgcls.core.keras.source_model import build_source, source_outputs
from imgcls.core.keras.start import import_keras
from imgcls.core.models.keras_file.contents import KerasFile
from imgcls.core.models.keras_file.describe import describe
from imgcls.core.models.keras_file.tree import Call, Output, SourceLayer
from imgcls.core.pixels.preprocessing import SCALINGS

FILES = Path(__file__).parents[2] / "keras2_files"
SHAPE = (2, 2, 3)
IMAGE = np.arange(12, dtype=np.float32).reshape(1, *SHAPE) - 4
EVERYTHING = {"start": None, "stop": None, "step": None}
ELLIPSIS = {"class_name": "__ellipsis__"}


def tree(*layers: SourceLayer, kind: str = "Functional") -> SourceLayer:
    """Return a model of layers, the last of which gives its result."""
    image = SourceLayer("image", "InputLayer", {})
    results = (Output(layers[-1].name, len(layers[-1].calls) - 1),)
    return SourceLayer("m", kind, {}, (), (image, *layers), ("image",), results)


def after(*names: str) -> Call:
    """Return a call with the results of other layers."""
    given = [Output(name, 0) for name in names]
    return Call((given if len(given) > 1 else given[0],))


def built(
    model: SourceLayer,
    arrays: dict[str, Float32Array] | None = None,
    names: dict[str, list[str]] | None = None,
    version: str = "3.1.0",
) -> Any:
    """Build a model whose weights are not in a file that Keras can read."""
    return build_source(model, KerasFile({}, version, arrays or {}, names), Path("none.h5"), SHAPE)


def result(model: SourceLayer, **how: Any) -> Float32Array:
    return source_outputs(built(model, **how), IMAGE)


@pytest.mark.parametrize("name", ["nested.h5", "nested.keras", "partly_frozen.h5", "own_cnn.h5"])
def test_the_source_is_built_anew_as_keras_2_had_it(tmp_path: Path, name: str) -> None:
    found = describe(FILES / name, tmp_path)
    weights = tmp_path / "model.weights.h5" if name.endswith(".keras") else FILES / name
    source = build_source(found.tree, found.file, weights, (32, 32, 3))
    known = np.load(FILES / f"{name}.npz")
    batch = SCALINGS["none" if name == "own_cnn.h5" else "tf"].scale(known["pixels"])
    np.testing.assert_allclose(source_outputs(source, batch), known["scores"], atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "arguments", "keywords", "expected"),
    [
        ("Divide", ("x", 4), {}, IMAGE / 4),
        ("Multiply", ("x", [1, 2, 3]), {}, IMAGE * [1, 2, 3]),
        ("Add", ("x", 2), {}, IMAGE + 2),
        ("Subtract", ("x", 1), {}, IMAGE - 1),
        ("Subtract", (1, "x"), {}, 1 - IMAGE),
        ("Subtract", (), {"x1": "x", "x2": "x"}, IMAGE * 0),
        ("GetItem", ("x", [ELLIPSIS, {**EVERYTHING, "step": -1}]), {}, IMAGE[..., ::-1]),
        ("GetItem", ("x", [*[EVERYTHING] * 3, 1]), {}, IMAGE[..., 1]),
        ("Mean", ("x",), {"axis": [1, 2]}, IMAGE.mean(axis=(1, 2))),
        ("Mean", ("x",), {"keepdims": True}, IMAGE.mean(axis=(1, 2), keepdims=True)),
        ("Cast", ("x",), {"dtype": "float32"}, IMAGE),
        ("Relu", ("x",), {}, np.maximum(IMAGE, 0)),
        ("Relu6", ("x",), {}, np.clip(IMAGE, 0, 6)),
        ("Sigmoid", ("x",), {}, 1 / (1 + np.exp(-IMAGE))),
        ("Silu", ("x",), {}, IMAGE / (1 + np.exp(-IMAGE))),
    ],
)
def test_operations(
    kind: str, arguments: tuple[Any, ...], keywords: dict[str, Any], expected: Float32Array
) -> None:
    def filled(value: Any) -> Any:
        return Output("image", 0) if isinstance(value, str) and value == "x" else value

    call = Call(
        tuple(map(filled, arguments)), {key: filled(value) for key, value in keywords.items()}
    )
    found = result(tree(SourceLayer("op", kind, {}, (call,))))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_operations_of_keras_2_name_their_function() -> None:
    call = Call((Output("image", 0),), {"y": {"class_name": "t", "config": {"value": [1, 0, 2]}}})
    bias = SourceLayer("bias", "TFOpLambda", {"function": "math.add"}, (call,))
    np.testing.assert_array_equal(result(tree(bias)), IMAGE + np.array([1, 0, 2]))


def test_channels_are_taken_apart_and_stacked() -> None:
    def channel(index: int) -> SourceLayer:
        call = Call((Output("image", 0), [ELLIPSIS, index]))
        return SourceLayer(f"c{index}", "GetItem", {}, (call,))

    stack = SourceLayer("stack", "Stack", {}, (Call(([Output(f"c{i}", 0) for i in (2, 0)],)),))
    found = result(tree(channel(0), channel(2), stack))
    np.testing.assert_array_equal(found, IMAGE[..., [2, 0]])


def test_a_scaled_sum_of_two_branches() -> None:
    both = (after("image", "image"),)
    old = SourceLayer("block17_1", "Lambda", {"arguments": {"scale": 0.5}}, both)
    new = SourceLayer("scaled", "CustomScaleLayer", {"scale": 0.25}, both)
    np.testing.assert_allclose(result(tree(old)), IMAGE * 1.5)
    np.testing.assert_allclose(result(tree(new)), IMAGE * 1.25)


def test_layers_that_train_only_let_everything_through() -> None:
    flip = SourceLayer("flip", "RandomFlip", {}, (after("image"),))
    drop = SourceLayer("drop", "Dropout", {"rate": 0.9}, (after("flip"),))
    np.testing.assert_array_equal(result(tree(flip, drop)), IMAGE)
    relu = SourceLayer("relu", "ReLU", {}, (after("drop"),))
    model = built(tree(flip, drop, relu, kind="Sequential"))
    assert [type(layer).__name__ for layer in model.layers] == ["ReLU"]
    np.testing.assert_array_equal(source_outputs(model, IMAGE), np.maximum(IMAGE, 0))


def test_a_layer_that_is_used_twice_is_one_layer() -> None:
    scale = SourceLayer("scale", "Rescaling", {"scale": 2.0}, (after("image"),))
    twice = SourceLayer("scale", scale.kind, scale.config, (*scale.calls, after("scale")))
    model = built(tree(twice))
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Rescaling"]
    np.testing.assert_array_equal(source_outputs(model, IMAGE), IMAGE * 4)


def test_a_model_in_a_model_stays_one() -> None:
    relu = SourceLayer("relu", "ReLU", {}, (after("image"),))
    inner = tree(relu)
    inside = SourceLayer("base", "Functional", {}, (after("image"),), inner.layers, *ends(inner))
    model = built(tree(inside, SourceLayer("flat", "Flatten", {}, (after("base"),))))
    assert [type(layer).__name__ for layer in model.layers] == [
        "InputLayer",
        "Functional",
        "Flatten",
    ]
    np.testing.assert_array_equal(source_outputs(model, IMAGE), np.maximum(IMAGE, 0).reshape(1, -1))


def ends(model: SourceLayer) -> tuple[tuple[str, ...], tuple[Output, ...]]:
    return model.inputs, model.results


CONV = {"filters": 2, "kernel_size": [1, 1], "name": "conv"}
KERNEL = np.arange(6, dtype=np.float32).reshape(1, 1, 3, 2)
BIAS = np.array([1, -1], np.float32)


def test_weights_that_keras_cannot_read_are_put_in_by_name() -> None:
    conv = SourceLayer("conv", "Conv2D", CONV, (after("image"),))
    arrays = {"model_weights/conv/conv/kernel:0": KERNEL, "model_weights/conv/conv/bias:0": BIAS}
    names = {"conv": ["conv/kernel:0", "conv/bias:0"]}
    found = result(tree(conv), arrays=arrays, names=names)
    np.testing.assert_allclose(found, IMAGE @ KERNEL[0, 0] + BIAS)


def test_the_layer_scale_of_convnext() -> None:
    scale = SourceLayer("scale", "LayerScale", {"projection_dim": 3}, (after("image"),))
    arrays = {"layers/layer_scale/vars/0": np.array([1, 0, -2], np.float32)}
    found = result(tree(scale), arrays=arrays)
    np.testing.assert_array_equal(found, IMAGE * np.array([1, 0, -2]))


def test_arguments_of_training_are_left_out() -> None:
    evil = {"class_name": "Evil", "config": {"code": "4wEAAAA="}}
    config = {
        **CONV,
        "trainable": False,
        "dtype": evil,
        "kernel_initializer": evil,
        "bias_initializer": evil,
        "kernel_regularizer": evil,
        "kernel_constraint": evil,
        "batch_input_shape": [None, 9, 9, 3],
        "unknown": evil,
    }
    arrays = {"layers/conv2d/vars/0": KERNEL, "layers/conv2d/vars/1": BIAS}
    conv = SourceLayer("conv", "Conv2D", config, (after("image"),))
    model = built(tree(conv), arrays)
    (layer,) = model.layers[1:]
    assert not layer.trainable and type(layer.kernel_initializer).__name__ == "GlorotUniform"
    np.testing.assert_allclose(source_outputs(model, IMAGE), IMAGE @ KERNEL[0, 0] + BIAS)


@pytest.mark.parametrize(
    ("activation", "version", "expected"),
    [
        ("relu", "3.1.0", np.maximum(IMAGE, 0)),
        (None, "3.1.0", IMAGE),
        ("swish", "2.9.0", IMAGE / (1 + np.exp(-IMAGE))),
        ("hard_sigmoid", "2.9.0", np.clip(0.2 * IMAGE + 0.5, 0, 1)),
        ("hard_sigmoid", "3.1.0", np.clip(IMAGE / 6 + 0.5, 0, 1)),
        (
            {"class_name": "LeakyReLU", "config": {"negative_slope": 0.5}},
            *("3.1.0", np.where(IMAGE < 0, IMAGE * 0.5, IMAGE)),
        ),
    ],
)
def test_activations(activation: Any, version: str, expected: Float32Array) -> None:
    layer = SourceLayer("a", "Activation", {"activation": activation}, (after("image"),))
    np.testing.assert_allclose(result(tree(layer), version=version), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("config", "slope"), [({}, 0.3), ({"alpha": 0.1}, 0.1), ({"negative_slope": 0.2}, 0.2)]
)
def test_the_slope_of_a_leaky_relu_has_two_names(config: dict[str, float], slope: float) -> None:
    layer = SourceLayer("a", "LeakyReLU", config, (after("image"),))
    found = result(tree(layer))
    np.testing.assert_allclose(found, np.where(IMAGE < 0, IMAGE * slope, IMAGE), rtol=1e-6)


def test_an_axis_in_a_list_and_a_class_of_an_older_version() -> None:
    config = {"axis": [3], "epsilon": 0.0, "center": False, "scale": False}
    norm = SourceLayer("n", "BatchNormalizationV1", config, (after("image"),))
    arrays = {
        "layers/batch_normalization_v1/vars/0": np.array([1, 2, 3], np.float32),
        "layers/batch_normalization_v1/vars/1": np.array([4, 4, 4], np.float32),
    }
    found = result(tree(norm), arrays=arrays)
    np.testing.assert_allclose(found, (IMAGE - [1, 2, 3]) / 2, rtol=1e-5)


def test_a_model_of_grey_images_gets_them_grey() -> None:
    keras = import_keras()
    image = keras.Input((2, 2, 1))
    model = keras.Model(image, keras.layers.Flatten()(image))
    found = source_outputs(model, IMAGE)
    expected = 0.299 * IMAGE[..., 0] + 0.587 * IMAGE[..., 1] + 0.114 * IMAGE[..., 2]
    np.testing.assert_allclose(found, expected.reshape(1, 4), rtol=1e-5)
    assert found.dtype == np.float32

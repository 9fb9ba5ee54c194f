"""A tree of layers becomes one list: order, names, models in models, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from imgcls.core.models.keras_file.flatten import GREY, FlatNetwork, flatten
from imgcls.core.models.keras_file.tree import Call, Output, SourceLayer

Names = tuple[str, ...]


def layer(name: str, kind: str, *inputs: str, **config: Any) -> SourceLayer:
    outputs = [Output(given, 0) for given in inputs]
    argument = outputs if len(outputs) > 1 else outputs[0] if outputs else None
    return SourceLayer(name, kind, config, (Call((argument,)),) if inputs else ())


def model(*layers: SourceLayer, result: str = "") -> SourceLayer:
    inner = (layer("image", "InputLayer"), *layers)
    results = (Output(result or inner[-1].name, 0),)
    return SourceLayer("m", "Functional", {}, (), inner, ("image",), results)


def run(
    tree: SourceLayer, arrays: Mapping[str, Any] | None = None, channels: int = 3, **options: Any
) -> FlatNetwork:
    found = arrays or {}
    return flatten(
        tree,
        (4, channels),
        lambda source: found.get(source.name, {}),
        **{"keras2": False, **options},
    )


def kinds(flat: FlatNetwork) -> list[tuple[str, str, Names]]:
    return [(layer.name, layer.kind, layer.inputs) for layer in flat.layers[1:]]


def test_layers_come_after_what_they_take_and_others_are_left_out() -> None:
    flat = run(
        model(
            layer("sum", "Add", "late", "image"),
            layer("late", "ReLU", "drop"),
            layer("drop", "Dropout", "image"),
            layer("side", "ReLU", "image"),
            result="sum",
        )
    )
    assert kinds(flat) == [("late", "relu", ("image",)), ("sum", "add", ("late", "image"))]
    assert (flat.output, flat.dropped) == ("sum", ["Dropout"])


def test_a_model_in_a_model_shares_names_without_clash() -> None:
    inner = replace(model(layer("act", "ReLU", "image")), name="inner")
    inner = replace(inner, calls=(Call((Output("act", 0),)),))
    flat = run(model(layer("act", "ReLU", "image"), inner))
    assert kinds(flat) == [("act", "relu", ("image",)), ("act_2", "relu", ("act",))]
    assert flat.output == "act_2"


def test_names_become_ours() -> None:
    flat = run(model(layer("block/ä b", "ReLU", "image"), layer("/", "ReLU", "block/ä b")))
    assert [name for name, *_ in kinds(flat)] == ["block___b", "layer"]


def test_the_activation_of_a_layer_stays_in_it_or_becomes_one() -> None:
    arrays = {"d": {"kernel": np.ones((3, 2), np.float32), "bias": np.ones(2, np.float32)}}
    for keras2, expected in (
        (False, [("d", "dense", "hard_sigmoid")]),
        # Of Keras 2: min(max(0.2 x + 0.5, 0), 1).
        (True, [("d", "dense", "linear"), ("d_activation_line", "rescaling", None)]),
    ):
        flat = run(
            model(layer("d", "Dense", "image", units=2, activation="hard_sigmoid")),
            arrays,
            keras2=keras2,
        )
        found = [(x.name, x.kind, x.arguments.get("activation")) for x in flat.layers[1:]]
        assert found[:2] == expected
        assert len(found) == (3 if keras2 else 1)
    assert flat.layers[-2].arguments == {"scale": 0.2, "offset": 0.5}
    assert (flat.layers[-1].kind, flat.layers[-1].arguments["max_value"]) == ("relu", 1.0)


def test_an_open_side_of_a_reshape_is_worked_out() -> None:
    flat = run(model(layer("r", "Reshape", "image", target_shape=[-1, 3])))
    assert flat.shapes["r"] == (16, 3)
    with pytest.raises(ValueError, match=r"layer r \(Reshape\): 4×4×3 does not become 6×7"):
        run(model(layer("r", "Reshape", "image", target_shape=[-1, 7])))


def test_a_normalization_by_one_number_is_one_for_each_channel() -> None:
    flat = run(model(layer("n", "Normalization", "image", axis=-1, mean=2.0, variance=[4, 5, 6])))
    np.testing.assert_array_equal(flat.arrays["n"]["mean"], [2, 2, 2])
    np.testing.assert_array_equal(flat.arrays["n"]["variance"], [4, 5, 6])


def test_a_network_of_grey_images_begins_with_the_grey_of_three_channels() -> None:
    flat = run(model(layer("act", "ReLU", "image")), channels=1)
    assert kinds(flat) == [("grey", "conv2d", ("image",)), ("act", "relu", ("grey",))]
    assert flat.shapes["act"] == (4, 4, 1)
    np.testing.assert_array_equal(flat.arrays["grey"]["kernel"].ravel(), GREY)
    assert GREY.sum() == pytest.approx(1)


def test_residual_blocks_are_scaled_sums() -> None:
    scale = {"arguments": {"scale": 0.17}}
    flat = run(
        model(layer("r", "ReLU", "image"), layer("block35_1", "Lambda", "image", "r", **scale))
    )
    assert kinds(flat)[1:] == [
        ("block35_1_scale", "rescaling", ("r",)),
        ("block35_1", "add", ("image", "block35_1_scale")),
    ]
    assert flat.layers[-2].arguments["scale"] == 0.17


TRAINING = SourceLayer("t", "ReLU", {}, (Call((Output("image", 0),), {"training": True}),))
LOOP = (layer("a", "Add", "image", "b"), layer("b", "ReLU", "a"))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            (layer("x", "Lambda", "image"),),
            r"layer x \(Lambda\): it is code of its author .*; build the network without it",
        ),
        ((layer("x", "Conv1D", "image"),), r"layer x \(Conv1D\): Conv1D is on no list of ours"),
        ((layer("x", "Dense", "image"),), r"layer x \(Dense\): it lacks 'units'"),
        ((layer("x", "Dense", "image", units=2),), "its weights have other shapes"),
        ((TRAINING,), "still trained"),
        (LOOP, "it takes its own result"),
        ((layer("x", "BatchNormalization", "image", axis=1),), "another axis than the channels"),
        ((layer("x", "Activation", "image", activation="sinc"),), "activation sinc is not on our"),
        ((layer("x", "Normalization", "image", invert=True),), "it undoes a normalization"),
    ],
)
def test_refused(layers: tuple[SourceLayer, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(model(*layers))

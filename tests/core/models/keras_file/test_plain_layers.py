from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.models.keras_file.tree import SourceLayer
from tests.core.models.keras_file.source_trees import flat_of, kinds, layer, model


def test_the_activation_of_a_layer_stays_in_it_or_becomes_one() -> None:
    arrays = {"d": {"kernel": np.ones((3, 2), np.float32), "bias": np.ones(2, np.float32)}}
    for keras2, expected in (
        (False, [("d", "dense", "hard_sigmoid")]),
        # Of Keras 2: min(max(0.2 x + 0.5, 0), 1).
        (True, [("d", "dense", "linear"), ("d_activation_line", "rescaling", None)]),
    ):
        flat = flat_of(
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
    flat = flat_of(model(layer("r", "Reshape", "image", target_shape=[-1, 3])))
    assert flat.shapes["r"] == (16, 3)
    with pytest.raises(ValueError, match=r"layer r \(Reshape\): 4×4×3 does not become 6×7"):
        flat_of(model(layer("r", "Reshape", "image", target_shape=[-1, 7])))


def test_a_normalization_by_one_number_is_one_for_each_channel() -> None:
    flat = flat_of(
        model(layer("n", "Normalization", "image", axis=-1, mean=2.0, variance=[4, 5, 6]))
    )
    np.testing.assert_array_equal(flat.arrays["n"]["mean"], [2, 2, 2])
    np.testing.assert_array_equal(flat.arrays["n"]["variance"], [4, 5, 6])


def test_residual_blocks_are_scaled_sums() -> None:
    scale = {"arguments": {"scale": 0.17}}
    flat = flat_of(
        model(layer("r", "ReLU", "image"), layer("block35_1", "Lambda", "image", "r", **scale))
    )
    assert kinds(flat)[1:] == [
        ("block35_1_scale", "rescaling", ("r",)),
        ("block35_1", "add", ("image", "block35_1_scale")),
    ]
    assert flat.layers[-2].arguments["scale"] == 0.17


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
        ((layer("x", "BatchNormalization", "image", axis=1),), "another axis than the channels"),
        ((layer("x", "Activation", "image", activation="sinc"),), "activation sinc is not on our"),
        ((layer("x", "Normalization", "image", invert=True),), "it undoes a normalization"),
    ],
)
def test_layers_that_cannot_become_ours_are_refused_by_name(
    layers: tuple[SourceLayer, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        flat_of(model(*layers))

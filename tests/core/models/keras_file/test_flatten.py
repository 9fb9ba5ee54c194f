"""A tree of layers becomes one list: order, models in models, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imgcls.core.models.keras_file.flatten import GREY
from imgcls.core.models.keras_file.tree import Call, Output, SourceLayer
from tests.core.models.keras_file.source_trees import flat_of, kinds, layer, model


def test_layers_come_after_what_they_take_and_others_are_left_out() -> None:
    flat = flat_of(
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
    flat = flat_of(model(layer("act", "ReLU", "image"), inner))
    assert kinds(flat) == [("act", "relu", ("image",)), ("act_2", "relu", ("act",))]
    assert flat.output == "act_2"


def test_a_network_of_grey_images_begins_with_the_grey_of_three_channels() -> None:
    flat = flat_of(model(layer("act", "ReLU", "image")), channels=1)
    assert kinds(flat) == [("grey", "conv2d", ("image",)), ("act", "relu", ("grey",))]
    assert flat.shapes["act"] == (4, 4, 1)
    np.testing.assert_array_equal(flat.arrays["grey"]["kernel"].ravel(), GREY)
    assert GREY.sum() == pytest.approx(1)


TRAINING = SourceLayer("t", "ReLU", {}, (Call((Output("image", 0),), {"training": True}),))
LOOP = (layer("a", "Add", "image", "b"), layer("b", "ReLU", "a"))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((TRAINING,), "still trained"),
        (LOOP, "it takes its own result"),
    ],
)
def test_a_network_that_is_trained_or_goes_in_circles_is_refused(
    layers: tuple[SourceLayer, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        flat_of(model(*layers))

"""Arithmetic without a layer of its own becomes scale and offset, or is refused."""

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models.keras_file.flat_network import FlatNetwork
from imgcls.core.models.keras_file.operations import Channel, operation, operation_name
from imgcls.core.models.keras_file.tree import Call, SourceLayer

EVERYTHING = {"start": None, "stop": None, "step": None}
REVERSE = {**EVERYTHING, "step": -1}


@pytest.fixture
def flat() -> FlatNetwork:
    flat = FlatNetwork()
    flat.add("image", "input", (), {"height": 4, "width": 4, "channels": 3})
    return flat


def run(flat: FlatNetwork, kind: str, *arguments: Any, **keywords: Any) -> Any:
    return operation(flat, SourceLayer("op", kind, {}), Call(arguments, keywords))


@pytest.mark.parametrize(
    ("kind", "arguments", "scale", "offset"),
    [
        ("Divide", ("image", 4), 0.25, 0.0),
        ("Multiply", ("image", 2), 2.0, 0.0),
        ("Add", ("image", 2), 1.0, 2.0),
        ("Add", (2, "image"), 1.0, 2.0),
        ("Subtract", ("image", 1), 1.0, -1.0),
        ("Subtract", (1, "image"), -1.0, 1.0),
        ("Subtract", ("image", [1, 2, 3]), (1.0, 1.0, 1.0), (-1.0, -2.0, -3.0)),
    ],
)
def test_arithmetic_with_numbers(
    flat: FlatNetwork, kind: str, arguments: tuple[Any, ...], scale: Any, offset: Any
) -> None:
    assert run(flat, kind, *arguments) == "op"
    layer = flat.layers[-1]
    assert (layer.kind, layer.inputs) == ("rescaling", ("image",))
    assert layer.arguments == {"scale": scale, "offset": offset}


def test_arithmetic_of_two_layers(flat: FlatNetwork) -> None:
    run(flat, "Subtract", x1="image", x2="image")
    assert (flat.layers[-1].kind, flat.layers[-1].inputs) == ("subtract", ("image", "image"))


def test_channels_are_taken_apart_and_reversed(flat: FlatNetwork) -> None:
    last = run(flat, "GetItem", "image", [{"class_name": "__ellipsis__"}, -1])
    assert last == Channel("image", 2)
    channels = [Channel("image", index) for index in range(3)]
    assert run(flat, "Stack", channels, axis=-1) == "image"
    assert len(flat.layers) == 1
    assert run(flat, "Stack", channels[::-1], axis=3) == "op"
    assert flat.layers[-1].kind == "reverse_channels"
    assert run(flat, "GetItem", "image", [*[EVERYTHING] * 3, REVERSE]) == "op_2"
    assert flat.layers[-1].kind == "reverse_channels"


def test_means_casts_and_functions(flat: FlatNetwork) -> None:
    assert run(flat, "Cast", "image", dtype="float16") == "image"
    assert run(flat, "Relu6", "image") == "op"
    assert flat.layers[-1].arguments == {"activation": "relu6"}
    assert flat.shapes[run(flat, "Mean", "image", axis=[2, 1])] == (3,)
    assert flat.shapes[run(flat, "Mean", "image", axis=[1, 2], keepdims=True)] == (1, 1, 3)


@pytest.mark.parametrize(
    ("kind", "arguments", "keywords", "message"),
    [
        ("Divide", (1, "image"), {}, "divides by the result of a layer"),
        ("Divide", ("image", "image"), {}, "divides by the result of a layer"),
        ("Divide", ("image", 0), {}, "its argument scale must be"),
        ("Subtract", ("image", [1, 2]), {}, "another shape than the channels'"),
        ("Cast", ("image",), {"dtype": "uint8"}, r"makes whole numbers \(uint8\)"),
        ("Mean", ("image",), {"axis": [3]}, "something else than height and width"),
        ("GetItem", ("image", [{**EVERYTHING, "start": 1}, 0]), {}, "cuts a part out"),
        ("Stack", ([Channel("image", 0)] * 3,), {"axis": -1}, "stacks results of layers"),
        ("Relu", (Channel("image", 0),), {}, "works on a single channel"),
    ],
)
def test_refused(
    flat: FlatNetwork,
    kind: str,
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        run(flat, kind, *arguments, **keywords)


def test_names() -> None:
    def name(kind: str, *arguments: Any, **config: Any) -> str | None:
        return operation_name(SourceLayer("op", kind, config), Call(arguments))

    assert name("TFOpLambda", function="math.truediv") == "divide"
    assert name("TFOpLambda", function="tf.nn.relu6") == "relu6"
    assert name("Add", ["a", "b"]) is None  # the layer takes one list
    assert name("Add", "a", 1) == "add"
    assert name("Softmax", "a", dtype="float32") is None
    assert name("Conv2D", "a") is None
    with pytest.raises(ValueError, match=r"the operation io\.read_file is not on our list"):
        name("TFOpLambda", function="io.read_file")

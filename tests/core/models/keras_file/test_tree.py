"""The tree of a Keras model: which call of which layer each reference means."""

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models.keras_file.tree import Call, Output, SourceLayer, read_tree


def keras3(*history: Any) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": list(history)}}


def node(*arguments: Any, **keywords: Any) -> dict[str, Any]:
    return {"args": list(arguments), "kwargs": keywords}


def layer(name: str, kind: str = "ReLU", nodes: Any = (), **config: Any) -> dict[str, Any]:
    entry = {"class_name": kind, "config": {"name": name, **config}, "name": name}
    return {**entry, "inbound_nodes": list(nodes)}


def model(layers: list[dict[str, Any]], inputs: Any, outputs: Any) -> dict[str, Any]:
    config = {"name": "m", "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def test_a_sequential_is_a_chain_with_an_input() -> None:
    layers = [layer("a", "Conv2D", batch_input_shape=[None, 8, 8, 3]), layer("b", "Flatten")]
    tree = read_tree({"class_name": "Sequential", "config": {"name": "s", "layers": layers}})
    assert tree.layers is not None
    assert [inner.name for inner in tree.layers] == ["s_input", "a", "b"]
    assert tree.layers[0].config == {"batch_shape": [None, 8, 8, 3]}
    assert [inner.calls for inner in tree.layers] == [
        (),
        (Call((Output("s_input", 0),)),),
        (Call((Output("a", 0),)),),
    ]
    assert (tree.inputs, tree.results) == (("s_input",), (Output("b", 0),))


def test_a_sequential_of_old_is_a_bare_list() -> None:
    tree = read_tree({"class_name": "Sequential", "config": [layer("a", "InputLayer")]})
    assert (tree.name, tree.inputs) == ("sequential", ("a",))


def test_both_ways_to_write_a_call_mean_the_same() -> None:
    new = [layer("i", "InputLayer"), layer("add", "Add", [node([keras3("i", 0, 0)] * 2)])]
    old = [
        layer("i", "InputLayer"),
        layer("add", "Add", [[["i", 0, 0, {}], ["i", 0, 0, {}]]]),
    ]
    for layers in (new, old):
        tree = read_tree(model(layers, [["i", 0, 0]], [["add", 0, 0]]))
        assert tree.layers is not None
        (call,) = tree.layers[1].calls
        assert call.outputs() == [Output("i", 0), Output("i", 0)]
        assert len(call.arguments) == 1  # one list, as the layer takes it


def test_constants_and_keywords_of_keras_2_operations() -> None:
    nodes = [["i", 0, 0, {"y": ["_CONSTANT_VALUE", -1, 127.5], "other": ["i", 0, 0], "name": None}]]
    layers = [layer("i", "InputLayer"), layer("d", "TFOpLambda", nodes)]
    tree = read_tree(model(layers, ["i", 0, 0], ["d", 0, 0]))
    assert tree.layers is not None
    assert tree.layers[1].calls == (
        Call((Output("i", 0),), {"y": 127.5, "other": Output("i", 0), "name": None}),
    )


def test_a_layer_that_is_used_twice_has_two_outputs() -> None:
    nodes = [node(keras3("i", 0, 0)), node(keras3("r", 0, 0))]
    layers = [layer("i", "InputLayer"), layer("r", "ReLU", nodes)]
    tree = read_tree(model(layers, [["i", 0, 0]], [["r", 1, 0]]))
    assert tree.results == (Output("r", 1),)
    # One use is call 0, whatever number Keras gives it.
    layers = [layer("i", "InputLayer"), layer("r", "ReLU", nodes[:1])]
    assert read_tree(model(layers, [["i", 0, 0]], [["r", 3, 0]])).results == (Output("r", 0),)


def test_leaves_are_the_plain_layers_in_order() -> None:
    inner = SourceLayer("m", "Functional", {}, layers=(SourceLayer("b", "ReLU", {}),))
    outer = SourceLayer("o", "Functional", {}, layers=(SourceLayer("a", "ReLU", {}), inner))
    assert [leaf.name for leaf in outer.leaves()] == ["a", "b"]


def _nested(depth: int) -> dict[str, Any]:
    entry = layer("i", "InputLayer")
    for position in range(depth):
        entry = {
            "class_name": "Sequential",
            "config": {"name": f"s{position}", "layers": [entry]},
        }
    return entry


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "its description makes no sense"),
        ({"class_name": "Mine", "config": {"layers": []}}, "Mine is a class of its author's own"),
        ({"class_name": "ReLU", "config": None}, "no class or no arguments"),
        (_nested(40), "too deep in each other"),
        (
            {"class_name": "Sequential", "config": {"layers": [layer("a"), layer("a")]}},
            "two of its layers have the same name",
        ),
        (
            model([layer("i", "InputLayer")], [["i", 0, 0]], [["i", 0, 1]]),
            "layer i gives several results",
        ),
        (model([layer("i", "InputLayer")], [["i", 0, 0]], [["x", 0, 0]]), "KeyError('x')"),
    ],
)
def test_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_tree(config)
    assert message in str(caught.value)

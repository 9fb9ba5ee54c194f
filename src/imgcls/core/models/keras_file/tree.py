"""A Keras model's description as a tree of layers, of Keras 2 and 3 alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_MODELS = ("Functional", "Model", "Sequential")
_MAX_DEPTH = 32


@dataclass(frozen=True)
class Output:
    """The output of one call of a layer.

    Attributes:
        layer: the layer's name, in its own model.
        call: which of its calls, from 0 on.
    """

    layer: str
    call: int


@dataclass(frozen=True)
class Call:
    """One use of a layer.

    Attributes:
        arguments: constants, `Output`s and lists of them.
        keywords: the same by name.
    """

    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def outputs(self) -> list[Output]:
        """Return all outputs of other layers that it takes, in order."""
        return list(_outputs([*self.arguments, *self.keywords.values()]))


@dataclass(frozen=True, eq=False)
class SourceLayer:
    """A layer as Keras wrote it down; a model in a model is one, too.

    Attributes:
        name: its own.
        kind: the class of Keras, "Conv2D".
        config: the arguments of the class.
        calls: its uses in the model that it lies in.
        layers: of a model, its layers in order; None for a plain layer.
        inputs: of a model, the names of its input layers.
        results: of a model, what comes out of it.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    calls: tuple[Call, ...] = ()
    layers: tuple[SourceLayer, ...] | None = None
    inputs: tuple[str, ...] = ()
    results: tuple[Output, ...] = ()

    def leaves(self) -> Iterator[SourceLayer]:
        """Yield the plain layers in it, in the order in which Keras counts their weights."""
        if self.layers is None:
            yield self
        for layer in self.layers or ():
            yield from layer.leaves()


def read_tree(config: Mapping[str, Any]) -> SourceLayer:
    """Read the description of a whole model.

    Raises:
        ValueError: it is none, or of a form that only code can read.
    """
    try:
        return _layer(config, 0)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"its description makes no sense ({error!r:.80})") from None


def _layer(entry: Mapping[str, Any], depth: int) -> SourceLayer:
    if depth > _MAX_DEPTH:
        raise ValueError("its models lie too deep in each other")
    kind, config = entry["class_name"], entry["config"]
    if isinstance(config, list):  # a Sequential of Keras before 2.2.3
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, dict) or not isinstance(kind, str):
        raise ValueError("one of its layers has no class or no arguments")
    name = entry.get("name") or config.get("name") or kind.lower()
    if kind not in _MODELS and "layers" not in config:
        return SourceLayer(str(name), kind, config)
    if kind not in _MODELS:
        raise ValueError(f"{kind} is a class of its author's own, which only its code can build")
    entries = config["layers"]
    layers = [_layer(inner, depth + 1) for inner in entries]
    if kind == "Sequential":
        return _sequential(str(name), config, layers)
    nodes = [entry.get("inbound_nodes") or [] for entry in entries]
    ends = _Numbering(layers, nodes)
    layers = [
        replace(layer, calls=tuple(_call(node, ends) for node in own))
        for layer, own in zip(layers, nodes, strict=True)
    ]
    inputs = tuple(output.layer for output in _ends(config["input_layers"], ends))
    results = tuple(_ends(config["output_layers"], ends))
    return SourceLayer(str(name), "Functional", config, (), tuple(layers), inputs, results)


def _sequential(name: str, config: Mapping[str, Any], layers: list[SourceLayer]) -> SourceLayer:
    """Write down a Sequential like any other model: one call a layer."""
    if not layers or layers[0].kind != "InputLayer":
        first = _input_of(layers[0], config) if layers else {}
        layers = [SourceLayer(f"{name}_input", "InputLayer", first), *layers]
    names = [layer.name for layer in layers]
    if len(set(names)) != len(names):
        raise ValueError("two of its layers have the same name")
    chained = [layers[0]]
    for before, layer in itertools.pairwise(layers):
        call = Call((Output(before.name, 0),))
        chained.append(replace(layer, calls=(call,)))
    results = (Output(names[-1], 0),)
    return SourceLayer(name, "Sequential", config, (), tuple(chained), (names[0],), results)


def _input_of(first: SourceLayer, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what says the input's shape in a Sequential without an input layer."""
    build = config.get("build_input_shape")
    for shape in (*(first.config.get(key) for key in ("batch_input_shape", "batch_shape")), build):
        if shape is not None:
            return {"batch_shape": shape}
    if first.layers:
        return next(layer.config for layer in first.layers if layer.name == first.inputs[0])
    return {}


class _Numbering:
    """Finds the call that a reference means.

    Keras 2 counts the making of a model as its call 0 if it has an input layer, which is not
    always written down; so a model in a model may be used only once there.
    """

    def __init__(self, layers: list[SourceLayer], nodes: list[list[Any]]) -> None:
        self._layers = {layer.name: layer for layer in layers}
        self._counts = {layer.name: len(own) for layer, own in zip(layers, nodes, strict=True)}
        self._keras2 = any(isinstance(node, list) for own in nodes for node in own)
        if len(self._layers) != len(layers):
            raise ValueError("two of its layers have the same name")

    def output(self, name: Any, call: Any, tensor: Any) -> Output:
        layer, count = self._layers[name], self._counts[name]
        if tensor != 0 or type(call) is not int:
            raise ValueError(f"layer {name} gives several results, which imgcls does not take")
        if layer.kind == "InputLayer" or count == 1:
            return Output(name, 0)
        if layer.layers is not None and self._keras2:
            raise ValueError(f"the model {name} in it is used several times")
        return Output(name, call)


def _call(node: Any, numbering: _Numbering) -> Call:
    if isinstance(node, dict):  # Keras 3
        return Call(
            tuple(_value3(value, numbering) for value in node["args"]),
            {name: _value3(value, numbering) for name, value in node["kwargs"].items()},
        )
    if node and isinstance(node[0], str):  # an operation of Keras 2, which takes one tensor
        node = [node]
    arguments, keywords = [], {}
    for name, call, tensor, *rest in node:
        constant = name == "_CONSTANT_VALUE"
        arguments.append(tensor if constant else numbering.output(name, call, tensor))
        for key, value in (rest[0] if rest else {}).items():
            keywords[key] = _value2(value, numbering)
    return Call((arguments if len(arguments) > 1 else arguments[0],), keywords)


def _value2(value: Any, numbering: _Numbering) -> Any:
    match value:
        case [str(name), int(call), int(tensor)] if name != "_CONSTANT_VALUE":
            return numbering.output(name, call, tensor)
        case ["_CONSTANT_VALUE", _, constant]:
            return constant
    return value


def _value3(value: Any, numbering: _Numbering) -> Any:
    match value:
        case {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, tensor]}}:
            return numbering.output(name, call, tensor)
        case list():
            return [_value3(inner, numbering) for inner in value]
    return value


def _ends(ends: Any, numbering: _Numbering) -> Iterator[Output]:
    """Yield the inputs or results of a model: one, a list, or an object of them."""
    if isinstance(ends, dict):
        ends = list(ends.values())
    if ends and isinstance(ends[0], str):
        ends = [ends]
    for name, call, tensor, *_ in ends:
        yield numbering.output(name, call, tensor)


def _outputs(values: Any) -> Iterator[Output]:
    for value in values:
        if isinstance(value, Output):
            yield value
        elif isinstance(value, list | tuple):
            yield from _outputs(value)

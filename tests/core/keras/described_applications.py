"""Describe a network of keras.applications in our own words, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.layer_kinds import INPUT, LAYER_KINDS
from imgcls.core.models.network_description import NetworkDescription, tensor_name

_KINDS = {kind.builder: name for name, kind in LAYER_KINDS.items()} | {
    "LayerScale": "channel_scale"
}
_NOTHING = {"Dropout", "StochasticDepth"}


def describe(model: Any) -> tuple[NetworkDescription, dict[str, np.ndarray]]:
    """Return the layers of a Keras model, and its weights by their names in a model file."""
    _, height, width, channels = model.input.shape
    size = {"height": height, "width": width, "channels": channels}
    layers = [Layer("image", INPUT, (), size)]
    tensors: dict[str, np.ndarray] = {}
    names = {id(model.input): "image"}
    for layer in _leaves(model, names):
        sources = tuple(names[id(tensor)] for tensor in _given(layer))
        if type(layer).__name__ in _NOTHING:
            names[id(layer.output)] = sources[0]
            continue
        layers.extend(_described(layer, sources))
        names[id(layer.output)] = layer.name
        tensors |= {
            tensor_name(layer.name, _parameter(variable.name)): np.asarray(variable)
            for variable in getattr(layer, "weights", ())
            if variable.name != "count"
        }
    return NetworkDescription(tuple(layers)), tensors


def _parameter(name: str) -> str:
    """Return a parameter's name; ConvNeXt leaves that of its LayerScale to Keras."""
    return "gamma" if name.startswith("variable") else name


def _given(layer: Any) -> list[Any]:
    tensors: list[Any] = layer._inbound_nodes[-1].input_tensors
    return tensors


def _leaves(model: Any, names: dict[int, str]) -> Iterator[Any]:
    for layer in getattr(model, "operations", model.layers):
        if hasattr(layer, "layers"):  # ConvNeXt's stem and downsampling
            names[id(_given(layer.layers[0])[0])] = names[id(_given(layer)[0])]
            yield from _leaves(layer, names)
            outputs = layer._inbound_nodes[-1].output_tensors
            names[id(outputs[0])] = names[id(layer.layers[-1].output)]
        elif type(layer).__name__ != "InputLayer":
            yield layer


def _described(layer: Any, sources: tuple[str, ...]) -> Iterator[Layer]:
    kind = type(layer).__name__
    if not hasattr(layer, "weights"):  # an operation: x + 3, x · 1/6
        constant = layer._inbound_nodes[-1].arguments.args[1]
        scaling = {"Add": {"offset": constant}, "Multiply": {"scale": constant}}
        if len(sources) == 1:
            yield Layer(layer.name, "rescaling", sources, scaling[kind])
        else:
            yield Layer(layer.name, kind.lower(), sources)
        return
    config = layer.get_config()
    if kind == "CustomScaleLayer":  # of InceptionResNet: the first input and a part of the second
        scaled = f"{layer.name}.scaled"
        yield Layer(scaled, "rescaling", sources[1:], {"scale": config["scale"]})
        yield Layer(layer.name, "add", (sources[0], scaled))
        return
    row = _KINDS[kind]
    if kind == "Normalization" and config["mean"] is not None:
        deviation = np.sqrt(np.ravel(config["variance"]))
        mean = np.ravel(config["mean"])
        scaling = {"scale": (1 / deviation).tolist(), "offset": (-mean / deviation).tolist()}
        yield Layer(layer.name, "rescaling", sources, scaling)
        return
    known = LAYER_KINDS[row].arguments
    yield Layer(
        layer.name,
        row,
        sources,
        {name: config[name] for name in known if name in config and name != "axis"},
    )

"""A network that is not in the table, in our own words: a list of layers, nothing that runs.

Kinds of layers and their arguments are on a list (`layer_kinds`). Shapes, parameters, memory
and work are computed from the description, before anything is built from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.layer_kinds import LAYER_KINDS
from imgcls.core.models.layer_shapes import Shape
from imgcls.core.models.network_limits import MAX_LAYERS, MAX_NUMBERS, check_depth, check_size

_POOLINGS = ("max_pooling2d", "average_pooling2d")


@dataclass(frozen=True)
class NetworkDescription:
    """A network as a list of layers, checked as a whole.

    Attributes:
        layers: the input first, each after those that it takes, the output last. Checked and
            completed: every argument is given, in the order of its row.

    Raises:
        ValueError: it is no network that imgcls runs; the text names the layer.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.layers) <= MAX_LAYERS:
            raise ValueError(f"a network has 2 to {MAX_LAYERS} layers")
        known: set[str] = set()
        completed = []
        for layer in self.layers:
            completed.append(layer.completed(known))
            known.add(layer.name)
        object.__setattr__(self, "layers", tuple(completed))
        _check_ends(self.layers)
        check_depth(self.layers)
        check_size(self.layers, self.shapes, self.parameters)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each layer's output, without the batch: (h, w, c), (d,) or (n, d)."""
        shapes: dict[str, Shape] = {}
        for layer in self.layers:
            inputs = [shapes[name] for name in layer.inputs]
            try:
                shape = LAYER_KINDS[layer.kind].output_shape(inputs, layer.arguments)
            except ValueError as error:
                raise ValueError(f"layer {layer.name}: {error}") from None
            if min(shape) < 1 or math.prod(shape) > MAX_NUMBERS:
                size = "×".join(str(side)[:20] for side in shape)
                raise ValueError(f"layer {layer.name}: its output is {size} numbers")
            shapes[layer.name] = shape
        return shapes

    @cached_property
    def parameters(self) -> dict[str, dict[str, Shape]]:
        """The shapes of each layer's parameters, by layer and name; without layers of none."""
        found = {}
        for layer in self.layers[1:]:
            given = self.shapes[layer.inputs[0]]
            shapes = LAYER_KINDS[layer.kind].parameters(given, layer.arguments)
            if shapes:
                found[layer.name] = dict(shapes)
        return found

    @cached_property
    def tensors(self) -> dict[str, Shape]:
        """The shapes of all parameters by their names in a model file."""
        return {
            tensor_name(layer, parameter): shape
            for layer, parameters in self.parameters.items()
            for parameter, shape in parameters.items()
        }

    @property
    def parameter_count(self) -> int:
        """How many numbers the parameters are."""
        return sum(math.prod(shape) for shape in self.tensors.values())

    @property
    def input_shape(self) -> Shape:
        """The input's (h, w, c)."""
        return self.shapes[self.layers[0].name]

    @property
    def output_shape(self) -> Shape:
        """The output's shape."""
        return self.shapes[self.layers[-1].name]

    @cached_property
    def spatial_shapes(self) -> dict[str, tuple[int, int, int]]:
        """(h, w, c) of each layer behind the input that has height and width."""
        return {
            layer.name: (shape[0], shape[1], shape[2])
            for layer in self.layers[1:]
            if len(shape := self.shapes[layer.name]) == 3
        }

    @cached_property
    def cam_layer(self) -> str:
        """The last layer with height and width, but for a closing pooling, which coarsens it.

        The input if no layer behind it has height and width.
        """
        by_name = {layer.name: layer for layer in self.layers}
        layer = by_name[self.last_map]
        while layer.kind in _POOLINGS and layer.inputs[0] in self.spatial_shapes:
            layer = by_name[layer.inputs[0]]
        return layer.name

    @property
    def classifier_input(self) -> str:
        """The layer that the last one with parameters reads: the features of a whole classifier."""
        by_name = {layer.name: layer for layer in self.layers}
        last = next(reversed(self.parameters), self.layers[-1].name)
        return by_name[last].inputs[0]

    def up_to(self, name: str) -> NetworkDescription:
        """Return the part of the network that leads to a layer, which becomes the output."""
        wanted, kept = {name}, []
        for layer in reversed(self.layers):
            if layer.name in wanted:
                wanted.update(layer.inputs)
                kept.append(layer)
        return NetworkDescription(tuple(reversed(kept)))

    @property
    def last_map(self) -> str:
        """The last layer whose output has more than one place; the input if none has."""
        maps = [name for name, shape in self.spatial_shapes.items() if shape[0] * shape[1] > 1]
        return maps[-1] if maps else self.layers[0].name

    def features(self, layer: str, *, flat: bool = False) -> NetworkDescription:
        """Return the part of the network that leads to a layer, as numbers without places.

        Args:
            layer: the layer.
            flat: all places of it one after another; else their mean.
        """
        part = self.up_to(layer)
        if len(part.output_shape) < 3:
            return part
        name, kind = "pooled_features", "global_average_pooling2d"
        if flat:
            name, kind = "flat_features", "flatten"
        name = free_name(name, (layer.name for layer in part.layers))
        return NetworkDescription((*part.layers, Layer(name, kind, (layer,))))

    def for_size(self, size: int) -> NetworkDescription:
        """Return the same layers for an input of another height and width.

        Raises:
            ValueError: they do not fit it.
        """
        image, *rest = self.layers
        arguments = {**image.arguments, "height": size, "width": size}
        return NetworkDescription((replace(image, arguments=arguments), *rest))

    def to_json(self) -> list[dict[str, Any]]:
        """Return what JSON can hold: an object a layer, without arguments that are defaults."""
        return [layer.to_json() for layer in self.layers]

    @staticmethod
    def from_json(layers: Any) -> NetworkDescription:
        """Return the network that `to_json` wrote down.

        Raises:
            ValueError: it is anything else, or no network that imgcls runs.
        """
        if not isinstance(layers, list) or len(layers) > MAX_LAYERS:
            raise ValueError(f"a network is a list of at most {MAX_LAYERS} layers")
        return NetworkDescription(tuple(Layer.from_json(layer) for layer in layers))


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return a name for one more layer: this one, lengthened while another layer has it."""
    others = set(taken)
    while name in others:
        name += "_"
    return name


def tensor_name(layer: str, parameter: str) -> str:
    """Return what a layer's parameter is called in a model file."""
    return f"network.{layer}.{parameter}"


def _check_ends(layers: Iterable[Layer]) -> None:
    """Check that every layer leads to the output."""
    *inner, last = layers
    used = {name for layer in (*inner, last) for name in layer.inputs}
    for layer in inner:
        if layer.name not in used:
            raise ValueError(f"layer {layer.name}: nothing comes of it")

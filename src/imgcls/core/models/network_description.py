"""A network that is not in the table, in our own words: a list of layers, nothing that runs.

Kinds of layers and their arguments are on a list (`layer_kinds`). Shapes, parameters, memory
and work are computed from the description, before anything is built from it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from imgcls.core.models.layer_kinds import INPUT, LAYER_KINDS, LayerKind
from imgcls.core.models.layer_shapes import Shape

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MAX_LAYERS = 4000  # NASNet-Large has 1,000
_MAX_DEPTH = 850  # Keras recurses as deep; EfficientNetV2-L has 787
_MAX_NUMBERS = 2**26  # of one layer's output: 256 MB
_MAX_LIVE_NUMBERS = 2**28  # of all outputs that are needed at one time: 1 GB
_MAX_TOTAL_NUMBERS = 3 * 2**29  # of all outputs, which gradients need; EfficientNet-B7 has 1e9
_MAX_WORK = 10**12  # multiplications for one image; ConvNeXt-XLarge at 384 pixels has 1.8e11
_POOLINGS = ("max_pooling2d", "average_pooling2d")
_KEYS = {"name", "kind", "inputs", "arguments"}


@dataclass(frozen=True)
class Layer:
    """One layer of a described network.

    Attributes:
        name: its own; letters, digits, `_`, `.` and `-`.
        kind: a row of `LAYER_KINDS`.
        inputs: names of earlier layers.
        arguments: as the row has them; those that are left out have its defaults.
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)


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
        if not 2 <= len(self.layers) <= _MAX_LAYERS:
            raise ValueError(f"a network has 2 to {_MAX_LAYERS} layers")
        known: set[str] = set()
        completed = []
        for layer in self.layers:
            completed.append(_completed(layer, known))
            known.add(layer.name)
        object.__setattr__(self, "layers", tuple(completed))
        _check_ends(self.layers)
        _check_depth(self.layers)
        _check_size(self)

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
            if min(shape) < 1 or math.prod(shape) > _MAX_NUMBERS:
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
        return [
            {
                "name": layer.name,
                "kind": layer.kind,
                "inputs": list(layer.inputs),
                "arguments": _given(LAYER_KINDS[layer.kind], layer.arguments),
            }
            for layer in self.layers
        ]

    @staticmethod
    def from_json(layers: Any) -> NetworkDescription:
        """Return the network that `to_json` wrote down.

        Raises:
            ValueError: it is anything else, or no network that imgcls runs.
        """
        if not isinstance(layers, list) or len(layers) > _MAX_LAYERS:
            raise ValueError(f"a network is a list of at most {_MAX_LAYERS} layers")
        return NetworkDescription(tuple(_from_json(layer) for layer in layers))


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return a name for one more layer: this one, lengthened while another layer has it."""
    others = set(taken)
    while name in others:
        name += "_"
    return name


def tensor_name(layer: str, parameter: str) -> str:
    """Return what a layer's parameter is called in a model file."""
    return f"network.{layer}.{parameter}"


def _from_json(layer: Any) -> Layer:
    if not isinstance(layer, dict) or layer.keys() != _KEYS:
        raise ValueError(f"a layer is an object of {', '.join(sorted(_KEYS))}")
    inputs, arguments = layer["inputs"], layer["arguments"]
    if not isinstance(inputs, list) or not isinstance(arguments, dict):
        raise ValueError("a layer's inputs are a list and its arguments an object")
    return Layer(layer["name"], layer["kind"], tuple(inputs), arguments)


def _given(kind: LayerKind, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in arguments.items() if value != kind.arguments[name].default
    }


def _completed(layer: Layer, known: set[str]) -> Layer:
    """Check a layer for itself, and that it comes after its inputs."""
    if not isinstance(layer.name, str) or not _NAME.fullmatch(layer.name):
        raise ValueError(f"{str(layer.name)[:50]!r} is no name of a layer")
    if layer.name in known:
        raise ValueError(f"two layers are called {layer.name}")
    kind = LAYER_KINDS.get(layer.kind) if isinstance(layer.kind, str) else None
    if kind is None:
        raise ValueError(f"layer {layer.name}: {str(layer.kind)[:50]!r} is no kind of layer")
    least, most = kind.inputs
    if not least <= len(layer.inputs) <= most:
        raise ValueError(f"layer {layer.name}: it has {len(layer.inputs)} inputs")
    for name in layer.inputs:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"layer {layer.name}: no layer {str(name)[:50]!r} comes before it")
    if (layer.kind == INPUT) != (not known):
        raise ValueError(f"layer {layer.name}: the first layer, and no other, is the input")
    try:
        return Layer(layer.name, layer.kind, layer.inputs, kind.complete(layer.arguments))
    except ValueError as error:
        raise ValueError(f"layer {layer.name}: {error}") from None


def _check_ends(layers: Iterable[Layer]) -> None:
    """Check that every layer leads to the output."""
    *inner, last = layers
    used = {name for layer in (*inner, last) for name in layer.inputs}
    for layer in inner:
        if layer.name not in used:
            raise ValueError(f"layer {layer.name}: nothing comes of it")


def _check_depth(layers: Iterable[Layer]) -> None:
    """Check that Keras can go from the output to all layers: the first input of each first.

    The longest chain may be longer: EfficientNetV2-L has 1031 layers in a row, but one input of
    its multiplications is a short cut.
    """
    inputs = {layer.name: layer.inputs for layer in layers}
    *_, last = inputs
    known, chain = {last}, [iter(inputs[last])]
    while chain:
        name = next(chain[-1], None)
        if name is None:
            chain.pop()
        elif name not in known:
            known.add(name)
            chain.append(iter(inputs[name]))
            if len(chain) > _MAX_DEPTH:
                raise ValueError(f"layer {name}: over {_MAX_DEPTH} layers come one after another")


def _check_size(description: NetworkDescription) -> None:
    """Bound what running the network on one image takes."""
    sizes = {name: math.prod(shape) for name, shape in description.shapes.items()}
    readers = Counter(name for layer in description.layers for name in layer.inputs)
    live, total, work = 0, 0, 0
    for layer in description.layers:
        live += sizes[layer.name]
        total += sizes[layer.name]
        if live > _MAX_LIVE_NUMBERS or total > _MAX_TOTAL_NUMBERS:
            raise ValueError(f"layer {layer.name}: up to here an image needs too much memory")
        for name in layer.inputs:
            readers[name] -= 1
            live -= 0 if readers[name] else sizes[name]
        work += _work(description, layer)
        if work > _MAX_WORK:
            raise ValueError(f"layer {layer.name}: over {_MAX_WORK:.0e} multiplications an image")


def _work(description: NetworkDescription, layer: Layer) -> int:
    """Return about how many multiplications a layer takes for one image."""
    shape = description.shapes[layer.name]
    kernels = sum(
        math.prod(sides)
        for name, sides in description.parameters.get(layer.name, {}).items()
        if name.endswith("kernel")
    )
    window: tuple[int, ...] = layer.arguments.get("pool_size", ())
    return math.prod(shape[:-1]) * kernels + math.prod((*shape, *window))

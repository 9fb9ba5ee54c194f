"""A network as one list of our layers, with their arrays, while it is put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imgcls.core.arrays import Float32Array
from imgcls.core.models.described_layer import Layer
from imgcls.core.models.layer_kinds import LAYER_KINDS
from imgcls.core.models.layer_shapes import Shape


@dataclass
class FlatNetwork:
    """A network as one list of layers.

    Attributes:
        layers: in an order in which each comes after those that it takes.
        arrays: parameters by layer and name.
        output: the name of the last layer.
        dropped: the classes of the layers that do nothing once a network is trained.
        folded: what became something else, for people.
        shapes: of each layer's output.
    """

    layers: list[Layer] = field(default_factory=list)
    arrays: dict[str, dict[str, Float32Array]] = field(default_factory=dict)
    output: str = ""
    dropped: list[str] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def add(
        self,
        name: str,
        kind: str,
        inputs: tuple[str, ...] = (),
        arguments: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Float32Array] | None = None,
    ) -> str:
        """Add a layer under a name like the one given, and return its name."""
        name = self._free(name)
        row = LAYER_KINDS[kind]
        complete = row.complete(arguments or {})
        given = [self.shapes[input_] for input_ in inputs]
        shape = row.output_shape(given, complete)
        wanted = dict(row.parameters(given[0], complete)) if given else {}
        arrays = arrays or {}
        if wanted != {parameter: array.shape for parameter, array in arrays.items()}:
            raise ValueError("its weights have other shapes than its arguments say")
        self.layers.append(Layer(name, kind, inputs, complete))
        self.shapes[name] = shape
        if arrays:
            self.arrays[name] = dict(arrays)
        return name

    def prune(self) -> None:
        """Leave out layers that do not lead to the output."""
        wanted = {self.output}
        for layer in reversed(self.layers):
            if layer.name in wanted:
                wanted.update(layer.inputs)
        self.layers = [layer for layer in self.layers if layer.name in wanted]
        self.arrays = {name: arrays for name, arrays in self.arrays.items() if name in wanted}

    def _free(self, name: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip("_.-")[:90] or "layer"
        free, number = name, 1
        while free in self.shapes:
            number += 1
            free = f"{name}_{number}"
        return free

"""One layer of a described network, checked for itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from imgcls.core.models.layer_kinds import INPUT, LAYER_KINDS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
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

    def completed(self, known: Collection[str]) -> Layer:
        """Return the layer with every argument given, in the order of its row.

        Args:
            known: the names of the layers before it.

        Raises:
            ValueError: it has no name, kind or arguments of ours, or does not come after its
                inputs; the text names it.
        """
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(f"{str(self.name)[:50]!r} is no name of a layer")
        if self.name in known:
            raise ValueError(f"two layers are called {self.name}")
        kind = LAYER_KINDS.get(self.kind) if isinstance(self.kind, str) else None
        if kind is None:
            raise ValueError(f"layer {self.name}: {str(self.kind)[:50]!r} is no kind of layer")
        least, most = kind.inputs
        if not least <= len(self.inputs) <= most:
            raise ValueError(f"layer {self.name}: it has {len(self.inputs)} inputs")
        for name in self.inputs:
            if not isinstance(name, str) or name not in known:
                raise ValueError(f"layer {self.name}: no layer {str(name)[:50]!r} comes before it")
        if (self.kind == INPUT) != (not known):
            raise ValueError(f"layer {self.name}: the first layer, and no other, is the input")
        try:
            return Layer(self.name, self.kind, self.inputs, kind.complete(self.arguments))
        except ValueError as error:
            raise ValueError(f"layer {self.name}: {error}") from None

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold, without arguments that are defaults."""
        known = LAYER_KINDS[self.kind].arguments
        given = {
            name: value for name, value in self.arguments.items() if value != known[name].default
        }
        return {
            "name": self.name,
            "kind": self.kind,
            "inputs": list(self.inputs),
            "arguments": given,
        }

    @staticmethod
    def from_json(layer: Any) -> Layer:
        """Return the layer that `to_json` wrote down; `completed` checks what it holds.

        Raises:
            ValueError: it is anything else.
        """
        if not isinstance(layer, dict) or layer.keys() != _KEYS:
            raise ValueError(f"a layer is an object of {', '.join(sorted(_KEYS))}")
        inputs, arguments = layer["inputs"], layer["arguments"]
        if not isinstance(inputs, list) or not isinstance(arguments, dict):
            raise ValueError("a layer's inputs are a list and its arguments an object")
        return Layer(layer["name"], layer["kind"], tuple(inputs), arguments)

"""Keras models as trees of layers, made by hand, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imgcls.core.models.keras_file.flat_network import FlatNetwork
from imgcls.core.models.keras_file.flatten import flatten
from imgcls.core.models.keras_file.tree import Call, Output, SourceLayer


def layer(name: str, kind: str, *inputs: str, **config: Any) -> SourceLayer:
    outputs = [Output(given, 0) for given in inputs]
    argument = outputs if len(outputs) > 1 else outputs[0] if outputs else None
    return SourceLayer(name, kind, config, (Call((argument,)),) if inputs else ())


def model(*layers: SourceLayer, result: str = "") -> SourceLayer:
    inner = (layer("image", "InputLayer"), *layers)
    results = (Output(result or inner[-1].name, 0),)
    return SourceLayer("m", "Functional", {}, (), inner, ("image",), results)


def flat_of(
    tree: SourceLayer, arrays: Mapping[str, Any] | None = None, channels: int = 3, **options: Any
) -> FlatNetwork:
    found = arrays or {}
    return flatten(
        tree,
        (4, channels),
        lambda source: found.get(source.name, {}),
        **{"keras2": False, **options},
    )


def kinds(flat: FlatNetwork) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(layer.name, layer.kind, layer.inputs) for layer in flat.layers[1:]]

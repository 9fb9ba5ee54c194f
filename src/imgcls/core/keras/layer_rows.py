"""Every layer of a network, with its parameters, listed without memory for them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from imgcls.core.keras.build import build_network
from imgcls.core.keras.graph import cut_top, head_layer
from imgcls.core.keras.network_learner import last_layers
from imgcls.core.keras.start import import_keras
from imgcls.core.models.head import Head
from imgcls.core.models.spec import ModelSpec

# "trained" by the training that wrote the model file, or "frozen" in it; as "published" on
# ImageNet, or as they were "imported".
LayerWeights = Literal["trained", "frozen", "published", "imported"]


@dataclass(frozen=True)
class LayerRow:
    """One layer of a network.

    Attributes:
        name: its own.
        kind: the class of Keras that builds it, or one of ours.
        shape: of its output, without the batch: (h, w, c) or (d,).
        parameters: how many numbers its weights are.
        statistics: how many of them no training changes: mean and variance of a normalization.
        weights: where they come from; None where it has none.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]
    parameters: int
    statistics: int
    weights: LayerWeights | None


def network_rows(
    spec: ModelSpec, weights: LayerWeights, head: Head | None = None
) -> list[LayerRow]:
    """List the layers of a network as it was published or imported, in its order.

    Args:
        spec: its row.
        weights: what it was.
        head: the classifier that stands on its features; None for its own.
    """
    rows = _backbone_rows(spec, has_head=head is not None, learned=0, others=weights)
    return rows + _head_rows(head, weights, rows)


def trained_rows(spec: ModelSpec, head: Head, learned: int | None) -> list[LayerRow]:
    """List the layers of a network without its top, and those of the head trained on it.

    Args:
        spec: its row.
        head: the classifier.
        learned: how many of the backbone's last layers were trained with it; None for all.
    """
    rows = _backbone_rows(spec, has_head=True, learned=learned, others="frozen")
    return rows + _head_rows(head, "trained", rows)


def _head_rows(
    head: Head | None, weights: LayerWeights, backbone: Iterable[LayerRow]
) -> list[LayerRow]:
    taken = {row.name for row in backbone}
    return [
        LayerRow(
            name=head_layer(position, taken),
            kind="Dense",
            shape=(width,),
            parameters=before * width + width,
            statistics=0,
            weights=weights,
        )
        for position, (before, width) in enumerate(pairwise(head.widths if head else ()))
    ]


def _backbone_rows(
    spec: ModelSpec, *, has_head: bool, learned: int | None, others: LayerWeights
) -> list[LayerRow]:
    keras = import_keras()
    keras.backend.clear_session()  # running numbers in names begin as in a new process
    with keras.StatelessScope(initialize_variables=False):
        network = build_network(spec)
        if has_head and spec.described is None:  # a described network ends in its features
            network = cut_top(network, spec)
        trained = {layer.name for layer in last_layers(network, learned)}
        rows = [
            _row(layer, "trained" if layer.name in trained else others) for layer in network.layers
        ]
    keras.backend.clear_session()  # forgets the variables that were never allocated
    return rows


def _row(layer: Any, weights: LayerWeights) -> LayerRow:
    output = layer.output[0] if isinstance(layer.output, list | tuple) else layer.output
    parameters = layer.count_params()
    return LayerRow(
        name=layer.name,
        kind=type(layer).__name__,
        shape=tuple(output.shape[1:]),
        parameters=parameters,
        statistics=sum(math.prod(variable.shape) for variable in layer.non_trainable_variables),
        weights=weights if parameters else None,
    )

"""The layers of a network, listed without memory for its weights."""

from __future__ import annotations

from typing import Any

from imgcls.core.keras.build import build_network
from imgcls.core.keras.start import import_keras
from imgcls.core.models.spec import BEFORE_POOLING, ModelSpec

# (h, w, c) of a layer's output.
Shape = tuple[int, int, int]


def list_layers(spec: ModelSpec) -> tuple[dict[str, Shape], str]:
    """Return the layers that a heatmap may use, and which of them it uses by default.

    A described network says it itself; one of the table is built without memory for its weights.

    Returns:
        Name → (h, w, c), in the order of the network, and one of the names.
    """
    if spec.described is not None:
        return spec.described.spatial_shapes, spec.cam_layer
    keras = import_keras()
    with keras.StatelessScope(initialize_variables=False):
        layers = spatial_shapes(build_network(spec))
    keras.backend.clear_session()  # forgets the variables that were never allocated
    if spec.cam_layer != BEFORE_POOLING:
        return layers, spec.cam_layer
    return layers, next(name for name, shape in reversed(layers.items()) if shape[0] > 1)


def spatial_shapes(network: Any) -> dict[str, Shape]:
    """Return the output shape of each layer of a Keras model that has height and width."""
    return {
        layer.name: tuple(layer.output.shape[1:])
        for layer in network.layers[1:]  # the first is the input
        if not isinstance(layer.output, list | tuple) and len(layer.output.shape) == 4
    }

"""The layers that a heatmap may use: those with height and width, listed without their weights."""

from __future__ import annotations

from typing import Any

from imgcls.core.keras.build import build_network
from imgcls.core.keras.graph import cam_activations, cut_top
from imgcls.core.keras.start import import_keras
from imgcls.core.models.spec import ModelSpec

# (h, w, c) of a layer's output.
Shape = tuple[int, int, int]


def list_layers(spec: ModelSpec) -> tuple[dict[str, Shape], str]:
    """Return the layers that a heatmap may use, and which of them it uses by default.

    A described network says it itself; one of the table is built without memory for its weights.

    Returns:
        Name → (h, w, c), in the order of the network, and the row's `default_layer`, which is
        one of the names.
    """
    if spec.described is not None:
        shapes = spec.described.spatial_shapes
        if spec.cam_layer not in shapes:  # only the image has height and width
            height, width, channels = spec.described.input_shape
            shapes = {spec.cam_layer: (height, width, channels), **shapes}
        return shapes, spec.cam_layer
    keras = import_keras()
    with keras.StatelessScope(initialize_variables=False):
        network = build_network(spec)
        if spec.ends_in_features:
            network = cut_top(network, spec)
        layers = spatial_shapes(network)
        read = cam_activations(network, spec)
    keras.backend.clear_session()  # forgets the variables that were never allocated
    # A name that changes gives way to the one that stays; a sum outside of layers has none.
    running = next((name for name in layers if network.get_layer(name).output is read), None)
    lasting = {running: spec.default_layer}
    named = {lasting.get(name, name): shape for name, shape in layers.items()}
    return named | {spec.default_layer: tuple(read.shape[1:])}, spec.default_layer


def spatial_shapes(network: Any) -> dict[str, Shape]:
    """Return the output shape of each layer of a Keras model that has height and width."""
    return {
        layer.name: tuple(layer.output.shape[1:])
        for layer in network.layers[1:]  # the first is the input
        if not isinstance(layer.output, list | tuple) and len(layer.output.shape) == 4
    }

"""The layers of a network that a heatmap may use."""

from __future__ import annotations

from imgcls.core.engines.keras import build_network, cam_activations, import_keras
from imgcls.core.models.spec import ModelSpec


def heatmap_layers(spec: ModelSpec) -> tuple[dict[str, tuple[int, int, int]], str]:
    """Return the layers with a height and a width, and which of them a heatmap uses by default.

    The network is built without memory for its weights.

    Returns:
        Name → (h, w, c), in the order of the network, and one of the names.
    """
    keras = import_keras()
    with keras.StatelessScope(initialize_variables=False):
        network = build_network(spec)
    layers = {
        layer.name: tuple(layer.output.shape[1:])
        for layer in network.layers[1:]  # the first is the input
        if not isinstance(layer.output, list | tuple) and len(layer.output.shape) == 4
    }
    default = cam_activations(network, spec)._keras_history.operation.name
    keras.backend.clear_session()  # forgets the variables that were never allocated
    return layers, default

"""The layers of a network that a heatmap may use."""

from __future__ import annotations

from imgcls.core.keras.gradients import spatial_layers
from imgcls.core.keras.build import import_keras
from imgcls.core.models.spec import BEFORE_POOLING, ModelSpec


def heatmap_layers(spec: ModelSpec) -> tuple[dict[str, tuple[int, int, int]], str]:
    """Return the layers with a height and a width, and which of them a heatmap uses by default.

    The network is built without memory for its weights.

    Returns:
        Name → (h, w, c), in the order of the network, and one of the names.
    """
    keras = import_keras()
    with keras.StatelessScope(initialize_variables=False):
        layers = spatial_layers(spec)
    keras.backend.clear_session()  # forgets the variables that were never allocated
    if spec.cam_layer != BEFORE_POOLING:
        return layers, spec.cam_layer
    return layers, next(name for name, shape in reversed(layers.items()) if shape[0] > 1)

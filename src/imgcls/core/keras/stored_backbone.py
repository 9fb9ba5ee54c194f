"""Networks with the user's own head: the backbone without its top, and what a model file stores."""

from __future__ import annotations

from typing import Any

import numpy as np

from imgcls.core.errors import ModelError
from imgcls.core.keras.described import described_variables
from imgcls.core.keras.graph import add_head, cut_top
from imgcls.core.models.model_file import read_model_file, stored_tensors
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.models.spec import ModelSpec, features_described
from imgcls.core.models.weights import Network


def weight_layers(backbone: Any) -> list[Any]:
    """Return the layers of a backbone that have weights, from the input on."""
    return [layer for layer in backbone.layers if layer.weights]


def backbone_variables(backbone: Any, described: NetworkDescription | None) -> dict[str, Any]:
    """Return a backbone's variables under the names that they have in a model file.

    Names are positions, since some layers of Keras' networks are named by a running number; for
    a described network, those of its layers.
    """
    if described is not None:
        return described_variables(backbone, described)
    return {
        f"backbone.{position:03d}.{index}": variable
        for position, layer in enumerate(weight_layers(backbone))
        for index, variable in enumerate(layer.weights)
    }


def backbone_tensors(backbone: Any, spec: ModelSpec) -> dict[str, np.ndarray]:
    """Return a backbone's weights as a model file stores them, float32 by name."""
    import keras

    variables = backbone_variables(backbone, features_described(spec))
    return {
        name: keras.ops.convert_to_numpy(variable).astype(np.float32)
        for name, variable in variables.items()
    }


def load_trained(model: Any, network: Network) -> Any:
    """Give a network the backbone and the head that are stored in a model file.

    Args:
        model: the network with fresh weights, as `build_network` returns it.
        network: its row, and the model file.

    Returns:
        A Keras model, float32 (n, h, w, 3) → logits (n, classes of the file).

    Raises:
        ModelError: the file is damaged, or another network's.
        WeightsError: the stored tensors do not fit.
    """
    file = read_model_file(network.weights)
    if file.backbone != network.name or file.described != network.spec.described:
        raise ModelError(f"{network.weights}: is a {file.backbone}, not a {network.name}")
    backbone = model if file.described else cut_top(model, network.spec)
    variables = backbone_variables(backbone, file.described)
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    tensors = stored_tensors(network.weights, shapes)
    for name, variable in variables.items():
        variable.assign(tensors[name])
    for layer in weight_layers(backbone):
        if hasattr(layer, "finalize_state"):  # Normalization computes with what it derives
            layer.finalize_state()
    if file.head is None:
        return backbone
    if backbone.output.shape[-1] != file.head.widths[0]:
        raise ModelError(f"{network.weights}: its head does not fit the features of its network")
    return add_head(backbone, file.head)

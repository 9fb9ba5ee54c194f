"""Networks with the user's own head: the backbone without its top, and what a model file stores."""

from __future__ import annotations

from typing import Any

import numpy as np

from imgcls.core.errors import ModelError, UsageError
from imgcls.core.keras.described import described_variables
from imgcls.core.keras.graph import add_head, cut_top
from imgcls.core.models.model_file import ModelFile, read_model_file, stored_tensors
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
        A Keras model, float32 (n, h, w, 3) → logits (n, classes of the file), or the features
        where other ones are wanted than those that the file's head stands on.

    Raises:
        ModelError: the file is damaged, or another network's.
        UsageError: the file holds less of the network than is wanted.
        WeightsError: the stored tensors do not fit.
    """
    file = read_model_file(network.weights)
    if file.backbone != network.name:
        raise ModelError(f"{network.weights}: is a {file.backbone}, not a {network.name}")
    if file.described is not None:
        backbone = _with_described(model, network, file.described)
    else:
        backbone = _with_positions(model, network, file)
    for layer in weight_layers(backbone):
        if hasattr(layer, "finalize_state"):  # Normalization computes with what it derives
            layer.finalize_state()
    if file.head is None or network.spec != file.spec:
        return backbone
    if backbone.output.shape[-1] != file.head.widths[0]:
        raise ModelError(f"{network.weights}: its head does not fit the features of its network")
    return add_head(backbone, file.head)


def _with_described(model: Any, network: Network, stored: NetworkDescription) -> Any:
    described = network.spec.described
    if described is None or described.tensors.items() - stored.tensors.items():
        raise ModelError(f"{network.weights}: holds another network than is wanted of it")
    tensors = stored_tensors(network.weights, stored.tensors)
    for name, variable in described_variables(model, described).items():
        variable.assign(tensors[name])
    return model


def _with_positions(model: Any, network: Network, file: ModelFile) -> Any:
    """Return the network up to the features that are wanted, with what the file has up to its."""
    held = cut_top(model, file.spec)
    variables = backbone_variables(held, None)
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    tensors = stored_tensors(network.weights, shapes)
    for name, variable in variables.items():
        variable.assign(tensors[name])
    if network.spec == file.spec:
        return held
    backbone = cut_top(model, network.spec)
    if lacking := set(weight_layers(backbone)) - set(weight_layers(held)):
        raise UsageError(
            f"{network.weights}: holds its network without {lacking.pop().name}; take `features` "
            "that come before that layer"
        )
    return backbone

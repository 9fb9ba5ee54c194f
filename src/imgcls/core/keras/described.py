"""Build the Keras model of a described network."""

from __future__ import annotations

from typing import Any

from imgcls.core.errors import ModelError
from imgcls.core.keras.start import import_keras
from imgcls.core.models.layer_kinds import INPUT, LAYER_KINDS
from imgcls.core.models.network_description import NetworkDescription, tensor_name


def build_described(described: NetworkDescription) -> Any:
    """Build a described network with fresh random weights.

    Returns:
        A Keras model, float32 (n, h, w, 3) → the output of the last layer. Its layers are named
        as the description names them.

    Raises:
        ModelError: Keras cannot build it.
    """
    keras = import_keras()
    from imgcls.core.keras import own_layers

    outputs: dict[str, Any] = {}
    for layer in described.layers:
        if layer.kind == INPUT:
            outputs[layer.name] = keras.Input(described.input_shape, name=layer.name)
            continue
        builder = LAYER_KINDS[layer.kind].builder
        make = getattr(own_layers, builder, None) or getattr(keras.layers, builder)
        inputs = [outputs[name] for name in layer.inputs]
        try:
            built = make(name=layer.name, **layer.arguments)
            outputs[layer.name] = built(inputs if len(inputs) > 1 else inputs[0])
        except (ValueError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"layer {layer.name}: Keras cannot build it: {reason}") from error
    names = [layer.name for layer in described.layers]
    return keras.Model(outputs[names[0]], outputs[names[-1]])


def described_variables(model: Any, described: NetworkDescription) -> dict[str, Any]:
    """Return the variables of a described network under their names in a model file."""
    found: dict[str, Any] = {}
    for name, parameters in described.parameters.items():
        variables = {variable.name: variable for variable in model.get_layer(name).weights}
        found |= {tensor_name(name, parameter): variables[parameter] for parameter in parameters}
    return found

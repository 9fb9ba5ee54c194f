"""Build the Keras model of a row, and load its weights."""

from __future__ import annotations

from typing import Any

from imgcls.core.keras.described import build_described
from imgcls.core.keras.graph import cut_top
from imgcls.core.keras.start import import_keras
from imgcls.core.keras.stored_backbone import load_trained
from imgcls.core.keras.weights_file import load_weights
from imgcls.core.models.keras_weights import check_weights
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.weights import Network


def build_network(spec: ModelSpec) -> Any:
    """Build a row's Keras model with fresh random weights.

    Returns:
        A Keras model, float32 (n, h, w, 3) → logits (n, classes); a network that is only trained
        from scratch, or that a model file describes below its head, ends in its features, and one
        whose own classifier does not fit its input size in its last feature map.
    """
    if spec.described is not None:
        return build_described(spec.described)
    keras = import_keras()
    size = spec.preprocessing.size
    arguments: dict[str, Any] = dict(spec.arguments)
    if spec.builder == "EfficientNetLite":
        from imgcls.core.keras.architectures import build_efficientnet_lite

        return build_efficientnet_lite(input_shape=(size, size, 3), **arguments)
    if spec.builder == "SimpleCNN":
        from imgcls.core.keras.architectures import build_simple_cnn

        return build_simple_cnn((size, size, 3))
    builder = getattr(keras.applications, spec.builder)
    if _lacks_top(spec):
        return builder(weights=None, input_shape=(size, size, 3), include_top=False, **arguments)
    return builder(
        weights=None, input_shape=(size, size, 3), classifier_activation=None, **arguments
    )


def _lacks_top(spec: ModelSpec) -> bool:
    """Whether a network is built without its own classifier, as that would not fit its input."""
    needs_top = not spec.ends_in_features or spec.features_layer in spec.top_layers
    return bool(spec.top_layers) and not needs_top


def build_weighted(network: Network) -> Any:
    """Build a network's Keras model and load its weights.

    Logits come out, or the features where the row says that the network ends in them and no
    classifier is stored with it.

    Raises:
        WeightsError: the weights do not fit.
    """
    check_weights(network)
    model = build_network(network.spec)
    if network.stored:
        return load_trained(model, network)
    load_weights(model, network, partial=_lacks_top(network.spec))
    return cut_top(model, network.spec) if network.spec.ends_in_features else model

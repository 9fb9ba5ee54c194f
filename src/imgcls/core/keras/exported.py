"""A network as plain Keras has it: made for export, saved, and run again from its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.keras.graph import add_head, cut_top
from imgcls.core.keras.start import import_keras
from imgcls.core.models.head import Head
from imgcls.core.models.network_description import free_name
from imgcls.core.models.weights import Network
from imgcls.core.pixels.preprocessing import SCALINGS, Scaling

_OPERATOR = "operator "
# Layers, and what they are to hold once all are there.
_Weights = list[tuple[Any, list[np.ndarray]]]
# Layer, what it is called with, `_Weights` → what the layers in its place give.
_MakePlain = Callable[[Any, Any, _Weights], Any]


@dataclass(frozen=True)
class ImageInput:
    """What an exported network does with its input.

    Attributes:
        scaling: of the pixels, 0 to 255, that the network was trained on.
        is_uint8: whether it takes uint8 RGB and scales it itself.
        is_rgb: whether it takes RGB where the network was trained on BGR.
    """

    scaling: Scaling
    is_uint8: bool = False
    is_rgb: bool = False

    @property
    def reverses(self) -> bool:
        """Whether it turns RGB into BGR itself."""
        return SCALINGS[self.scaling].bgr and (self.is_rgb or self.is_uint8)


def exported_model(model: Any, network: Network, head: Head | None, image: ImageInput) -> Any:
    """Return a Keras model that gives scores, made of Keras' own layers only.

    Args:
        model: the network with its weights, as `build_weighted` returns it; its layers are
            shared, and it is not to be used any more.
        network: its row.
        head: the classifier that takes the place of its own; None for its own.
        image: what it does with its input.

    Returns:
        (n, h, w, 3), float32 or uint8, → softmax scores, float32 (n, classes). Layers are named
        as in `model`.
    """
    if head is not None and not network.stored:
        model = add_head(cut_top(model, network.spec), head)
    if isinstance(model.input, list):  # of one
        model = import_keras().Model(model.inputs[0], model.outputs[0], name=model.name)
    return _rebuilt(_ending_in_scores(model), image)


def _ending_in_scores(model: Any) -> Any:
    keras = import_keras()
    last = model.output._keras_history.operation
    if getattr(last, "activation", None) is keras.activations.linear:
        last.activation = keras.activations.softmax
        return model
    name = free_name("scores", (layer.name for layer in model.layers))
    scores = keras.layers.Activation("softmax", name=name)(model.output)
    return keras.Model(model.input, scores)


def _rebuilt(model: Any, image: ImageInput) -> Any:
    """Put the scaling before a network, and plain layers in the place of others."""
    keras = import_keras()
    kinds = {_kind(operation) for operation in model.operations}
    if not (kinds & _PLAIN.keys() or image.is_uint8 or image.reverses):
        return model
    shape = model.inputs[0].shape[1:]
    given = keras.Input(shape, dtype="uint8" if image.is_uint8 else "float32", name="image")
    scaled = _scaled(given, image, {layer.name for layer in model.layers})
    weights: _Weights = []

    def call(layer: Any, *inputs: Any, **keywords: Any) -> Any:
        inputs = tuple(scaled if one is given else one for one in inputs)
        make_plain = _PLAIN.get(_kind(layer))
        if make_plain is None:
            return layer(*inputs, **keywords)
        return make_plain(layer, inputs, weights)

    rebuilt = keras.models.clone_model(
        model, input_tensors=given, clone_function=lambda layer: layer, call_function=call
    )
    for layer, arrays in weights:
        layer.set_weights(arrays)
    return rebuilt


def _scaled(given: Any, image: ImageInput, names: set[str]) -> Any:
    """Return the tensor that the network takes of the one that the whole takes."""
    keras, scaling, scaled = import_keras(), SCALINGS[image.scaling], given
    step = -1 if scaling.bgr else 1
    mean, std = scaling.mean[::step], scaling.std[::step]  # red, green, blue
    if image.is_uint8:
        scaled = keras.layers.Rescaling(
            [1 / deviation for deviation in std],
            [-middle / deviation for middle, deviation in zip(mean, std, strict=True)],
            name=free_name("pixel_scaling", names),
        )(scaled)
    if image.reverses:
        reverse = keras.layers.Conv2D(3, 1, use_bias=False, name=free_name("rgb_to_bgr", names))
        scaled = reverse(scaled)
        reverse.set_weights([np.eye(3, dtype=np.float32)[::-1].reshape(1, 1, 3, 3)])
    return scaled


def _kind(operation: Any) -> str:
    """Return the class of a layer, or of what is no layer, such as an addition written as +."""
    name = type(operation).__name__
    return name if isinstance(operation, import_keras().layers.Layer) else f"{_OPERATOR}{name}"


def _plain_operator(merging: str, scaling: Callable[[float], tuple[float, float]]) -> _MakePlain:
    """Return what makes a layer of an operator: of two tensors, or of one and a number."""

    def make(operation: Any, inputs: Any, weights: _Weights) -> Any:
        layers, name = import_keras().layers, operation.name
        first, second = inputs
        if not isinstance(second, int | float):
            return getattr(layers, merging)(name=name)([first, second])
        scale, offset = scaling(second)
        return layers.Rescaling(scale, offset, name=name)(first)

    return make


def _plain_channel_scale(layer: Any, inputs: Any, weights: _Weights) -> Any:
    """Multiply each channel by a number of its own: a depthwise 1×1 convolution does."""
    (factors,) = layer.get_weights()
    plain = import_keras().layers.DepthwiseConv2D(1, use_bias=False, name=layer.name)
    weights.append((plain, [factors.reshape(1, 1, -1, 1)]))
    return plain(inputs[0])


def _plain_reversal(layer: Any, inputs: Any, weights: _Weights) -> Any:
    plain = import_keras().layers.Conv2D(3, 1, use_bias=False, name=layer.name)
    weights.append((plain, [np.eye(3, dtype=np.float32)[::-1].reshape(1, 1, 3, 3)]))
    return plain(inputs[0])


def _plain_custom_scale(layer: Any, inputs: Any, weights: _Weights) -> Any:
    ((first, second),) = inputs
    layers = import_keras().layers
    scaled = layers.Rescaling(layer.scale, name=f"{layer.name}_scale")(second)
    return layers.Add(name=layer.name)([first, scaled])


# Layers that a file of plain Keras cannot hold, or not in both of its formats: our own, and those
# that are private to keras.applications; and operators, which Keras does not read from .h5.
_PLAIN: dict[str, _MakePlain] = {
    f"{_OPERATOR}Add": _plain_operator("Add", lambda number: (1.0, number)),
    f"{_OPERATOR}Multiply": _plain_operator("Multiply", lambda number: (number, 0.0)),
    "ChannelScale": _plain_channel_scale,
    "ReverseChannels": _plain_reversal,
    "LayerScale": _plain_channel_scale,
    "CustomScaleLayer": _plain_custom_scale,
}


def save_keras(model: Any, path: Path) -> None:
    """Write a whole model, .keras or .h5 by its ending."""
    import_keras()  # which makes Keras silent: it advises against .h5
    model.save(path)


def save_saved_model(model: Any, path: Path) -> None:
    """Write a SavedModel whose signature takes `image` and gives `scores`."""
    import_keras()
    import tensorflow as tf

    given = tf.TensorSpec([None, *model.inputs[0].shape[1:]], model.inputs[0].dtype, name="image")
    # Not Keras' ExportArchive, which writes the weights twice.
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    module.serve = tf.function(lambda image: {"scores": model(image, training=False)}, [given])
    signatures = {"serving_default": module.serve.get_concrete_function()}
    tf.saved_model.save(module, str(path), signatures)


def run_keras(path: Path) -> Callable[[np.ndarray], Float32Array]:
    """Return what runs a whole model with plain Keras."""
    model = import_keras().models.load_model(path, compile=False)
    return lambda batch: np.asarray(model(batch, training=False), np.float32)


def run_saved_model(path: Path) -> Callable[[np.ndarray], Float32Array]:
    """Return what runs a SavedModel with TensorFlow."""
    import_keras()
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    serve = loaded.signatures["serving_default"]

    def run(batch: np.ndarray) -> Float32Array:
        assert loaded is not None  # whose variables live as long as it does
        return np.asarray(serve(image=tf.constant(batch))["scores"], np.float32)

    return run

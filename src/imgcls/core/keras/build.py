"""Keras: the reference engine, and the builder of networks for every other use of Keras."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from imgcls.core.engines.engine import OUTPUTS, Float32Array, Output
from imgcls.core.quiet import native_output_silenced, quiet_tensorflow
from imgcls.core.keras.stored_backbone import load_trained
from imgcls.core.keras.weights_file import load_weights
from imgcls.core.models.model_file import ENDING as MODEL_FILE_ENDING
from imgcls.core.models.spec import BEFORE_POOLING, ModelSpec
from imgcls.core.models.weights import Network
from imgcls.core.pixels.preprocessing import Float32Batch


def import_keras() -> Any:
    """Import Keras without its log lines and return the module."""
    quiet_tensorflow()
    with native_output_silenced():
        import keras
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.config.list_logical_devices()  # looks for GPUs now, and complains of none in here
    return keras


def build_network(spec: ModelSpec) -> Any:
    """Build a row's Keras model with fresh random weights.

    Returns:
        A Keras model, float32 (n, h, w, 3) → logits (n, 1000); a network that is only trained
        from scratch ends in its features.
    """
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
    return builder(
        weights=None, input_shape=(size, size, 3), classifier_activation=None, **arguments
    )


def build_weighted(network: Network) -> Any:
    """Build a network's Keras model and load its weights; logits come out.

    Raises:
        WeightsError: the weights do not fit.
    """
    model = build_network(network.spec)
    if network.weights.suffix == MODEL_FILE_ENDING:
        return load_trained(model, network)
    load_weights(model, network)
    return model


def with_outputs(model: Any, spec: ModelSpec) -> Any:
    """Return a Keras model over the same layers with the outputs of `OUTPUTS`, in order."""
    keras = import_keras()
    activations = cam_activations(model, spec)
    features = features_source(model, spec)
    if len(features.shape) == 4:
        features = keras.ops.mean(features, axis=(1, 2))  # (n, h, w, c) → (n, c)
    return keras.Model(model.input, [model.output, features, activations])


def features_source(model: Any, spec: ModelSpec) -> Any:
    """Return the Keras tensor whose mean over height and width is the features."""
    if spec.features_layer:
        return model.get_layer(spec.features_layer).output
    return cam_activations(model, spec)


def cam_activations(model: Any, spec: ModelSpec) -> Any:
    """Return the Keras tensor (n, h, w, c) of the row's `cam_layer`."""
    if spec.cam_layer != BEFORE_POOLING:
        return model.get_layer(spec.cam_layer).output
    pooling = import_keras().layers.GlobalAveragePooling2D
    return next(layer for layer in reversed(model.layers) if isinstance(layer, pooling)).input


def classifier_kernel(model: Any) -> Float32Array:
    """Return the kernel (d, classes) of a model's last layer, dense or a 1×1 convolution."""
    last = next(layer for layer in reversed(model.layers) if hasattr(layer, "kernel"))
    kernel = np.asarray(last.kernel, np.float32)
    return kernel.reshape(-1, kernel.shape[-1])


class KerasEngine:
    """Runs a network with Keras, in batches, one call at a time on all cores."""

    name = "keras"
    batch_size = 16
    one_by_one = False
    parallel = 1

    def __init__(self, network: Network) -> None:
        self.model = build_weighted(network)
        self._outputs = with_outputs(self.model, network.spec)
        self._functions: dict[tuple[Output, ...], Any] = {}
        self._lock = threading.Lock()

    def run(self, batch: Float32Batch, outputs: tuple[Output, ...]) -> list[Float32Array]:
        """Run the network; see `Engine.run`."""
        with self._lock:
            function = self._functions.get(outputs)
            if function is None:
                function = self._functions[outputs] = self._compile(outputs)
            return [np.asarray(result, np.float32) for result in function(batch)]

    def classifier_kernel(self) -> Float32Array:
        """Return the network's linear classifier; see `Engine.classifier_kernel`."""
        return classifier_kernel(self.model)

    def _compile(self, outputs: tuple[Output, ...]) -> Any:
        keras = import_keras()
        import tensorflow as tf

        chosen = [self._outputs.outputs[OUTPUTS.index(output)] for output in outputs]
        model = keras.Model(self._outputs.input, chosen)
        signature = tf.TensorSpec([None, *model.inputs[0].shape[1:]], tf.float32)
        # Keras gives a list of one output without the list.
        return tf.function(lambda batch: tf.nest.flatten(model(batch, training=False)), [signature])

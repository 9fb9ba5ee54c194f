"""Networks that keras.applications does not have."""

from __future__ import annotations

from typing import Any

from imgcls.core.models.efficientnet_lite import HEAD_CHANNELS, STEM_CHANNELS, blocks

_BATCH_NORM_EPSILON = 1e-3


def build_efficientnet_lite(
    width: float, depth: float, input_shape: tuple[int, int, int], classes: int = 1000
) -> Any:
    """Build an EfficientNet-Lite that gives logits.

    Args:
        width: scale of the channels.
        depth: scale of the repeats.
        input_shape: (h, w, 3).
        classes: columns of the logits.

    Returns:
        A Keras model, float32 (n, h, w, 3) → (n, classes). Layers are named as in
        keras.applications.efficientnet.
    """
    from keras import Input, Model, layers

    def norm(x: Any, name: str, *, activation: str | None) -> Any:
        x = layers.BatchNormalization(epsilon=_BATCH_NORM_EPSILON, name=name)(x)
        return layers.ReLU(6.0, name=activation)(x) if activation else x

    def conv(x: Any, channels: int, kernel: int, stride: int, name: str) -> Any:
        return layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, name=name)(x)

    image = Input(input_shape)
    x = conv(image, STEM_CHANNELS, 3, 2, "stem_conv")
    x = norm(x, "stem_bn", activation="stem_activation")
    for block in blocks(width, depth):
        name, shortcut = block.name, x
        if block.expansion > 1:
            x = conv(x, block.channels_in * block.expansion, 1, 1, f"{name}_expand_conv")
            x = norm(x, f"{name}_expand_bn", activation=f"{name}_expand_activation")
        x = layers.DepthwiseConv2D(
            block.kernel, block.stride, padding="same", use_bias=False, name=f"{name}_dwconv"
        )(x)
        x = norm(x, f"{name}_bn", activation=f"{name}_activation")
        x = conv(x, block.channels_out, 1, 1, f"{name}_project_conv")
        x = norm(x, f"{name}_project_bn", activation=None)
        if block.is_residual:
            x = layers.Add(name=f"{name}_add")([x, shortcut])
    x = conv(x, HEAD_CHANNELS, 1, 1, "top_conv")
    x = norm(x, "top_bn", activation="top_activation")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)  # (n, h, w, c) → (n, c)
    return Model(image, layers.Dense(classes, name="predictions")(x))


def build_simple_cnn(input_shape: tuple[int, int, int]) -> Any:
    """Build the small network of many tutorials, up to its last pooling.

    Args:
        input_shape: (h, w, 3).

    Returns:
        A Keras model with fresh random weights, float32 (n, h, w, 3) → (n, h/8, w/8, 64).
    """
    from keras import Input, Model, layers

    image = x = Input(input_shape)
    for position, channels in enumerate((32, 32, 64), start=1):
        x = layers.Conv2D(
            channels,
            3,
            padding="same",
            activation="relu",
            kernel_initializer="he_uniform",
            name=f"conv{position}",
        )(x)
        x = layers.MaxPooling2D(name=f"pool{position}")(x)  # (n, h, w, c) → (n, h/2, w/2, c)
    return Model(image, x)

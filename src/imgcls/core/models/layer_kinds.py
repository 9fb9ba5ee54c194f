"""The layers that a described network may have: one row each, and no others.

A row names the class of `keras.layers` that builds the layer, so arguments and parameters have
the names that Keras gives them. None of them can run code or read a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imgcls.core.models import layer_shapes as shapes
from imgcls.core.models.layer_arguments import (
    ANY_REAL,
    CHANNELS,
    EDGES,
    EPSILON,
    PADDING,
    PIXELS,
    WINDOW,
    Argument,
    choice,
    flag,
    one_or_each_channel,
    real,
    several,
    whole,
)
from imgcls.core.models.layer_shapes import Arguments, Shape, Shapes

INPUT = "input"

# As `keras.activations` has them; "linear" is none.
ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish"),
    *("hard_silu", "hard_sigmoid", "hard_tanh", "sigmoid", "log_sigmoid", "tanh", "softmax"),
    *("log_softmax", "softplus", "softsign", "exponential"),
)

_ONES = (1, 1)
_FLAG_ON, _FLAG_OFF = Argument(flag, True), Argument(flag, False)
_ACTIVATION = Argument(choice(*ACTIVATIONS), "linear")
_WINDOWED = {
    "strides": Argument(WINDOW, _ONES),
    "padding": Argument(PADDING, "valid"),
}
_CONVOLUTION = {
    "kernel_size": Argument(WINDOW),
    **_WINDOWED,
    "dilation_rate": Argument(WINDOW, _ONES),
    "activation": _ACTIVATION,
    "use_bias": _FLAG_ON,
}
_POOLING = {"pool_size": Argument(WINDOW), **_WINDOWED}
_NORMALIZATION = {"epsilon": Argument(EPSILON), "center": _FLAG_ON, "scale": _FLAG_ON}
_INTERPOLATION = Argument(choice("nearest", "bilinear"))


def _no_parameters(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    return {}


def _with_bias(kernels: dict[str, Shape], channels: int, arguments: Arguments) -> dict[str, Shape]:
    return kernels | ({"bias": (channels,)} if arguments["use_bias"] else {})


def _conv2d(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    filters = arguments["filters"]
    kernel = (*arguments["kernel_size"], given[-1] // arguments["groups"], filters)
    return _with_bias({"kernel": kernel}, filters, arguments)


def _depthwise_conv2d(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    multiplier = arguments["depth_multiplier"]
    kernel = (*arguments["kernel_size"], given[-1], multiplier)
    return _with_bias({"kernel": kernel}, given[-1] * multiplier, arguments)


def _separable_conv2d(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    multiplier, filters = arguments["depth_multiplier"], arguments["filters"]
    kernels = {
        "depthwise_kernel": (*arguments["kernel_size"], given[-1], multiplier),
        "pointwise_kernel": (1, 1, given[-1] * multiplier, filters),
    }
    return _with_bias(kernels, filters, arguments)


def _dense(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    units = arguments["units"]
    return _with_bias({"kernel": (given[-1], units)}, units, arguments)


def _scale_and_center(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    names = [name for name, on in (("gamma", "scale"), ("beta", "center")) if arguments[on]]
    return dict.fromkeys(names, given[-1:])


def _batch_normalization(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    statistics = dict.fromkeys(("moving_mean", "moving_variance"), given[-1:])
    return _scale_and_center(given, arguments) | statistics


def _normalization(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    return dict.fromkeys(("mean", "variance"), given[-1:])


def _channel_scale(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    return {"gamma": given[-1:]}


def _prelu(given: Shape, arguments: Arguments) -> dict[str, Shape]:
    shared = arguments["shared_axes"]
    return {"alpha": tuple(1 if i in shared else side for i, side in enumerate(given, start=1))}


@dataclass(frozen=True)
class LayerKind:
    """One kind of layer.

    Attributes:
        builder: the class of `keras.layers` that builds it, or of `imgcls.core.keras.own_layers`.
        output_shape: of the shapes of its inputs and its arguments; ValueError if they do not
            go together.
        arguments: by name, those of the class that may be given.
        parameters: of the shape of its (first) input and its arguments: shapes by name.
        inputs: the least and the greatest number of layers that it takes.
    """

    builder: str
    output_shape: Callable[[Shapes, Arguments], Shape]
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    parameters: Callable[[Shape, Arguments], Mapping[str, Shape]] = _no_parameters
    inputs: tuple[int, int] = (1, 1)

    def complete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked arguments, with the defaults of those that are not given.

        Raises:
            ValueError: one is unknown, missing, or not what it may be.
        """
        for name in arguments:
            if name not in self.arguments:
                raise ValueError(f"it has no argument {str(name)[:50]!r}")
        return {
            name: self._checked(name, argument, arguments)
            for name, argument in self.arguments.items()
        }

    @staticmethod
    def _checked(name: str, argument: Argument, arguments: Mapping[str, Any]) -> Any:
        if name not in arguments:
            if argument.default is ...:
                raise ValueError(f"it lacks its argument {name}")
            return argument.default
        try:
            return argument.check(arguments[name])
        except ValueError as error:
            raise ValueError(f"its argument {name} must be {error}") from None


_MANY = (2, 64)

LAYER_KINDS: Mapping[str, LayerKind] = {
    INPUT: LayerKind(
        "Input",
        shapes.image,
        {"height": Argument(PIXELS), "width": Argument(PIXELS), "channels": Argument(whole(3, 3))},
        inputs=(0, 0),
    ),
    # weights
    "conv2d": LayerKind(
        "Conv2D",
        shapes.conv2d,
        {"filters": Argument(CHANNELS), **_CONVOLUTION, "groups": Argument(CHANNELS, 1)},
        _conv2d,
    ),
    "depthwise_conv2d": LayerKind(
        "DepthwiseConv2D",
        shapes.depthwise_conv2d,
        {**_CONVOLUTION, "depth_multiplier": Argument(CHANNELS, 1)},
        _depthwise_conv2d,
    ),
    "separable_conv2d": LayerKind(
        "SeparableConv2D",
        shapes.separable_conv2d,
        {
            "filters": Argument(CHANNELS),
            **_CONVOLUTION,
            "depth_multiplier": Argument(CHANNELS, 1),
        },
        _separable_conv2d,
    ),
    "dense": LayerKind(
        "Dense",
        shapes.dense,
        {"units": Argument(CHANNELS), "activation": _ACTIVATION, "use_bias": _FLAG_ON},
        _dense,
    ),
    # normalization, along the last axis
    "batch_normalization": LayerKind(
        "BatchNormalization", shapes.unchanged, _NORMALIZATION, _batch_normalization
    ),
    "layer_normalization": LayerKind(
        "LayerNormalization", shapes.unchanged, _NORMALIZATION, _scale_and_center
    ),
    "group_normalization": LayerKind(
        "GroupNormalization",
        shapes.group_normalization,
        {"groups": Argument(CHANNELS), **_NORMALIZATION},
        _scale_and_center,
    ),
    "unit_normalization": LayerKind("UnitNormalization", shapes.unchanged),
    "normalization": LayerKind("Normalization", shapes.unchanged, parameters=_normalization),
    "channel_scale": LayerKind("ChannelScale", shapes.unchanged, parameters=_channel_scale),
    "rescaling": LayerKind(
        "Rescaling",
        shapes.rescaling,
        {
            "scale": Argument(one_or_each_channel(ANY_REAL), 1.0),
            "offset": Argument(one_or_each_channel(ANY_REAL), 0.0),
        },
    ),
    "reverse_channels": LayerKind("ReverseChannels", shapes.unchanged_image),
    # activation
    "activation": LayerKind(
        "Activation", shapes.unchanged, {"activation": Argument(choice(*ACTIVATIONS))}
    ),
    "relu": LayerKind(
        "ReLU",
        shapes.unchanged,
        {
            "max_value": Argument(real(0, 1e6, or_none=True), None),
            "negative_slope": Argument(real(0, 1e6), 0.0),
            "threshold": Argument(real(0, 1e6), 0.0),
        },
    ),
    "leaky_relu": LayerKind(
        "LeakyReLU", shapes.unchanged, {"negative_slope": Argument(real(0, 1e6))}
    ),
    "elu": LayerKind("ELU", shapes.unchanged, {"alpha": Argument(real(0, 1e6), 1.0)}),
    "prelu": LayerKind(
        "PReLU",
        shapes.prelu,
        {"shared_axes": Argument(several(whole(1, 3), 0, 3), ())},
        _prelu,
    ),
    # places
    "max_pooling2d": LayerKind("MaxPooling2D", shapes.pooling2d, _POOLING),
    "average_pooling2d": LayerKind("AveragePooling2D", shapes.pooling2d, _POOLING),
    "global_max_pooling2d": LayerKind(
        "GlobalMaxPooling2D", shapes.global_pooling2d, {"keepdims": _FLAG_OFF}
    ),
    "global_average_pooling2d": LayerKind(
        "GlobalAveragePooling2D", shapes.global_pooling2d, {"keepdims": _FLAG_OFF}
    ),
    "zero_padding2d": LayerKind(
        "ZeroPadding2D", shapes.zero_padding2d, {"padding": Argument(EDGES)}
    ),
    "cropping2d": LayerKind("Cropping2D", shapes.cropping2d, {"cropping": Argument(EDGES)}),
    "up_sampling2d": LayerKind(
        "UpSampling2D",
        shapes.up_sampling2d,
        {"size": Argument(WINDOW), "interpolation": _INTERPOLATION},
    ),
    "resizing": LayerKind(
        "Resizing",
        shapes.resizing,
        {
            "height": Argument(PIXELS),
            "width": Argument(PIXELS),
            "interpolation": _INTERPOLATION,
        },
    ),
    # shape
    "flatten": LayerKind("Flatten", shapes.flatten),
    "reshape": LayerKind(
        "Reshape", shapes.reshape, {"target_shape": Argument(several(whole(1, 2**26), 1, 3))}
    ),
    "permute": LayerKind("Permute", shapes.permute, {"dims": Argument(several(whole(1, 3), 1, 3))}),
    # several inputs
    "add": LayerKind("Add", shapes.broadcast, inputs=_MANY),
    "subtract": LayerKind("Subtract", shapes.broadcast, inputs=(2, 2)),
    "multiply": LayerKind("Multiply", shapes.broadcast, inputs=_MANY),
    "average": LayerKind("Average", shapes.broadcast, inputs=_MANY),
    "maximum": LayerKind("Maximum", shapes.broadcast, inputs=_MANY),
    "minimum": LayerKind("Minimum", shapes.broadcast, inputs=_MANY),
    "concatenate": LayerKind(
        "Concatenate",
        shapes.concatenate,
        {"axis": Argument(whole(-1, 3), -1)},
        inputs=_MANY,
    ),
}

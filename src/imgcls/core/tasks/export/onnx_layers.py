"""The layers of a described network in ONNX: a function and a row for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.tasks.export.onnx_activations import activate, clip
from imgcls.core.tasks.export.onnx_graph import Graph, Layout, Value, common_layout

Arguments = Mapping[str, Any]
Parameters = Mapping[str, Float32Array]
# What is added for a layer: its inputs, arguments and parameters → name and layout of its output.
Write = Callable[[Graph, Sequence[Value], Arguments, Parameters], tuple[str, Layout]]

_NORMALIZATION_EPSILON = 1e-7  # of Keras' Normalization
_UNIT_EPSILON = 1e-12  # of Keras' UnitNormalization


def _pads(shape: Sequence[int], window: Sequence[int], arguments: Arguments) -> list[int]:
    """Return how much "same" lays around height and width: top, left, bottom, right."""
    if arguments["padding"] != "same":
        return [0, 0, 0, 0]
    dilations = arguments.get("dilation_rate", (1, 1))
    before, after = [], []
    for side, size, stride, dilation in zip(
        shape[:2], window, arguments["strides"], dilations, strict=True
    ):
        reach = (size - 1) * dilation + 1
        lacking = max((-(-side // stride) - 1) * stride + reach - side, 0)
        before.append(lacking // 2)
        after.append(lacking - lacking // 2)
    return [*before, *after]


def _convolved(
    graph: Graph, value: Value, kernel: np.ndarray, bias: np.ndarray | None, arguments: Arguments
) -> str:
    """Add a convolution; the kernel is (filters, channels of a group, h, w)."""
    window = kernel.shape[2:]
    constants = [graph.constant(kernel)] + ([] if bias is None else [graph.constant(bias)])
    return graph.node(
        "Conv",
        [graph.named(value, "first"), *constants],
        kernel_shape=list(window),
        strides=list(arguments["strides"]),
        dilations=list(arguments["dilation_rate"]),
        pads=_pads(value.shape, window, arguments),
        group=value.shape[-1] // kernel.shape[1],
    )


def _conv2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    kernel = parameters["kernel"].transpose(3, 2, 0, 1)
    name = _convolved(graph, inputs[0], kernel, parameters.get("bias"), arguments)
    return activate(graph, arguments["activation"], name, "first"), "first"


def _depthwise_kernel(kernel: np.ndarray) -> np.ndarray:
    height, width, channels, multiplier = kernel.shape
    return kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)


def _depthwise_conv2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    kernel = _depthwise_kernel(parameters["kernel"])
    name = _convolved(graph, inputs[0], kernel, parameters.get("bias"), arguments)
    return activate(graph, arguments["activation"], name, "first"), "first"


def _separable_conv2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    kernel = _depthwise_kernel(parameters["depthwise_kernel"])
    inner = _convolved(graph, inputs[0], kernel, None, arguments)
    bias = [graph.constant(parameters["bias"])] if "bias" in parameters else []
    pointwise = graph.constant(parameters["pointwise_kernel"].transpose(3, 2, 0, 1))
    name = graph.node("Conv", [inner, pointwise, *bias], kernel_shape=[1, 1])
    return activate(graph, arguments["activation"], name, "first"), "first"


def _dense(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name = graph.node(
        "MatMul", [graph.named(inputs[0], "last"), graph.constant(parameters["kernel"])]
    )
    if "bias" in parameters:
        name = graph.node("Add", [name, graph.constant(parameters["bias"])])
    return activate(graph, arguments["activation"], name, "last"), "last"


def _scaled(graph: Graph, inputs: Sequence[Value], scale: Any, offset: Any) -> tuple[str, Layout]:
    """Add x · scale + offset, each one number or one a channel."""
    layout = common_layout(inputs)
    name = graph.named(inputs[0], layout)
    if np.any(np.asarray(scale) != 1):
        name = graph.node("Mul", [name, graph.channels(scale, layout)])
    if np.any(np.asarray(offset) != 0):
        name = graph.node("Add", [name, graph.channels(offset, layout)])
    return name, layout


def _batch_normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    mean, variance = parameters["moving_mean"], parameters["moving_variance"]
    gamma = parameters.get("gamma", np.ones_like(mean))
    beta = parameters.get("beta", np.zeros_like(mean))
    if inputs[0].is_image:  # a runtime merges it with the convolution before
        constants = map(graph.constant, (gamma, beta, mean, variance))
        name = graph.named(inputs[0], "first")
        epsilon = arguments["epsilon"]
        return graph.node("BatchNormalization", [name, *constants], epsilon=epsilon), "first"
    scale = gamma / np.sqrt(variance + arguments["epsilon"])
    return _scaled(graph, inputs, scale, beta - mean * scale)


def _layer_normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name, width = graph.named(inputs[0], "last"), inputs[0].shape[-1]
    gamma = parameters.get("gamma", np.ones(width, np.float32))
    beta = parameters.get("beta", np.zeros(width, np.float32))
    epsilon = arguments["epsilon"]
    if graph.opset >= 17:
        constants = [graph.constant(gamma), graph.constant(beta)]
        return graph.node(
            "LayerNormalization", [name, *constants], axis=-1, epsilon=epsilon
        ), "last"
    rest = graph.node("Sub", [name, graph.node("ReduceMean", [name], axes=[-1])])
    variance = graph.node("ReduceMean", [graph.node("Mul", [rest, rest])], axes=[-1])
    deviation = graph.node("Sqrt", [graph.node("Add", [variance, graph.constant(epsilon)])])
    name = graph.node("Mul", [graph.node("Div", [rest, deviation]), graph.constant(gamma)])
    return graph.node("Add", [name, graph.constant(beta)]), "last"


def _group_normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    height, width, channels = inputs[0].shape
    groups = arguments["groups"]
    parts = graph.constant([0, groups, -1], np.int64)
    name = graph.node("Reshape", [graph.named(inputs[0], "first"), parts])
    ones, zeros = graph.constant(np.ones(groups)), graph.constant(np.zeros(groups))
    epsilon = arguments["epsilon"]
    name = graph.node("InstanceNormalization", [name, ones, zeros], epsilon=epsilon)
    whole = graph.constant([0, channels, height, width], np.int64)
    value = Value(inputs[0].shape, {"first": graph.node("Reshape", [name, whole])})
    return _scaled(graph, [value], parameters.get("gamma", 1.0), parameters.get("beta", 0.0))


def _unit_normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name = graph.named(inputs[0], "last")
    last = graph.constant([-1], np.int64)
    squares = graph.node("ReduceSum", [graph.node("Mul", [name, name]), last])
    norm = graph.node("Sqrt", [clip(graph, squares, _UNIT_EPSILON, None)])
    return graph.node("Div", [name, norm]), "last"


def _normalization(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    scale = 1 / np.maximum(np.sqrt(parameters["variance"]), _NORMALIZATION_EPSILON)
    return _scaled(graph, inputs, scale, -parameters["mean"] * scale)


def _rescaling(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    return _scaled(graph, inputs, arguments["scale"], arguments["offset"])


def _channel_scale(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    return _scaled(graph, inputs, parameters["gamma"], 0.0)


def _reverse_channels(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    order = graph.constant(np.arange(inputs[0].shape[-1])[::-1], np.int64)
    return graph.node("Gather", [graph.named(inputs[0], "last"), order], axis=3), "last"


def _activation(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout = common_layout(inputs)
    name = graph.named(inputs[0], layout)
    return activate(graph, arguments["activation"], name, layout), layout


def _relu(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout = common_layout(inputs)
    name, highest = graph.named(inputs[0], layout), arguments["max_value"]
    slope, threshold = arguments["negative_slope"], arguments["threshold"]
    if not slope and not threshold:
        if highest is None:
            return graph.node("Relu", [name]), layout
        return clip(graph, name, 0.0, highest), layout
    border = graph.constant(threshold)
    below = graph.node("Mul", [graph.node("Sub", [name, border]), graph.constant(slope)])
    is_below = graph.node("Less", [name, border])
    name = graph.node("Where", [is_below, below, name])
    if highest is not None:
        name = graph.node("Min", [name, graph.constant(highest)])
    return name, layout


def _leaky_relu(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout = common_layout(inputs)
    name = graph.named(inputs[0], layout)
    return graph.node("LeakyRelu", [name], alpha=arguments["negative_slope"]), layout


def _elu(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout = common_layout(inputs)
    return graph.node("Elu", [graph.named(inputs[0], layout)], alpha=arguments["alpha"]), layout


def _prelu(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    slope = graph.constant(parameters["alpha"])
    return graph.node("PRelu", [graph.named(inputs[0], "last"), slope]), "last"


def _pooling(kind: str, **attributes: int) -> Write:
    def write(
        graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
    ) -> tuple[str, Layout]:
        window = arguments["pool_size"]
        return graph.node(
            kind,
            [graph.named(inputs[0], "first")],
            kernel_shape=list(window),
            strides=list(arguments["strides"]),
            pads=_pads(inputs[0].shape, window, arguments),
            **attributes,
        ), "first"

    return write


def _global_pooling(kind: str) -> Write:
    def write(
        graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
    ) -> tuple[str, Layout]:
        name = graph.node(kind, [graph.named(inputs[0], "first")])
        if arguments["keepdims"]:
            return name, "first"
        return graph.node("Flatten", [name]), "last"

    return write


def _zero_padding2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    (top, bottom), (left, right) = arguments["padding"]
    pads = graph.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return graph.node("Pad", [graph.named(inputs[0], "first"), pads]), "first"


def _cropping2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    (top, bottom), (left, right) = arguments["cropping"]
    height, width, _ = inputs[0].shape
    places = ([top, left], [height - bottom, width - right], [2, 3])
    constants = [graph.constant(place, np.int64) for place in places]
    return graph.node("Slice", [graph.named(inputs[0], "first"), *constants]), "first"


def _resized(
    graph: Graph, value: Value, height: int, width: int, mode: str, **attributes: str
) -> tuple[str, Layout]:
    sides = graph.constant([1.0, 1.0, height / value.shape[0], width / value.shape[1]], np.float32)
    mode = "linear" if mode == "bilinear" else mode
    name = graph.named(value, "first")
    return graph.node("Resize", [name, "", sides], mode=mode, **attributes), "first"


def _up_sampling2d(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    height, width, _ = inputs[0].shape
    down, across = arguments["size"]
    if arguments["interpolation"] == "nearest":
        how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        how = {"coordinate_transformation_mode": "half_pixel"}
    return _resized(
        graph, inputs[0], height * down, width * across, arguments["interpolation"], **how
    )


def _resizing(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    how = {"coordinate_transformation_mode": "half_pixel"}
    if arguments["interpolation"] == "nearest":
        how["nearest_mode"] = "round_prefer_ceil"
    height, width = arguments["height"], arguments["width"]
    return _resized(graph, inputs[0], height, width, arguments["interpolation"], **how)


def _flatten(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    return graph.node("Flatten", [graph.named(inputs[0], "last")]), "last"


def _reshape(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    shape = graph.constant([0, *arguments["target_shape"]], np.int64)
    return graph.node("Reshape", [graph.named(inputs[0], "last"), shape]), "last"


def _permute(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name = graph.named(inputs[0], "last")
    return graph.node("Transpose", [name], perm=[0, *arguments["dims"]]), "last"


def _arithmetic(kind: str) -> Write:
    def write(
        graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
    ) -> tuple[str, Layout]:
        layout = common_layout(inputs)
        name, *others = [graph.named(value, layout) for value in inputs]
        for other in others:
            name = graph.node(kind, [name, other])
        return name, layout

    return write


def _average(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    name, layout = _arithmetic("Add")(graph, inputs, arguments, parameters)
    return graph.node("Mul", [name, graph.constant(1 / len(inputs))]), layout


def _concatenate(
    graph: Graph, inputs: Sequence[Value], arguments: Arguments, parameters: Parameters
) -> tuple[str, Layout]:
    layout, axes = common_layout(inputs), len(inputs[0].shape)
    axis = arguments["axis"]
    axis = axes if axis == -1 else axis
    if layout == "first":
        axis = {1: 2, 2: 3, 3: 1}[axis]
    names = [graph.named(value, layout) for value in inputs]
    return graph.node("Concat", names, axis=axis), layout


LAYERS: Mapping[str, Write] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise_conv2d,
    "separable_conv2d": _separable_conv2d,
    "dense": _dense,
    "batch_normalization": _batch_normalization,
    "layer_normalization": _layer_normalization,
    "group_normalization": _group_normalization,
    "unit_normalization": _unit_normalization,
    "normalization": _normalization,
    "channel_scale": _channel_scale,
    "rescaling": _rescaling,
    "reverse_channels": _reverse_channels,
    "activation": _activation,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "prelu": _prelu,
    "max_pooling2d": _pooling("MaxPool"),
    "average_pooling2d": _pooling("AveragePool", count_include_pad=0),
    "global_max_pooling2d": _global_pooling("GlobalMaxPool"),
    "global_average_pooling2d": _global_pooling("GlobalAveragePool"),
    "zero_padding2d": _zero_padding2d,
    "cropping2d": _cropping2d,
    "up_sampling2d": _up_sampling2d,
    "resizing": _resizing,
    "flatten": _flatten,
    "reshape": _reshape,
    "permute": _permute,
    "add": _arithmetic("Add"),
    "subtract": _arithmetic("Sub"),
    "multiply": _arithmetic("Mul"),
    "average": _average,
    "maximum": _arithmetic("Max"),
    "minimum": _arithmetic("Min"),
    "concatenate": _concatenate,
}

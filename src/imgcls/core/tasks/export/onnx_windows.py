"""Layers in ONNX that go over an image by a window: convolutions and poolings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from imgcls.core.tasks.export.onnx_activations import activate
from imgcls.core.tasks.export.onnx_graph import Arguments, Graph, Layout, Parameters, Value, Write


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


WINDOWS: Mapping[str, Write] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise_conv2d,
    "separable_conv2d": _separable_conv2d,
    "max_pooling2d": _pooling("MaxPool"),
    "average_pooling2d": _pooling("AveragePool", count_include_pad=0),
    "global_max_pooling2d": _global_pooling("GlobalMaxPool"),
    "global_average_pooling2d": _global_pooling("GlobalAveragePool"),
}

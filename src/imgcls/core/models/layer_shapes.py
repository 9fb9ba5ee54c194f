"""What shape a described layer's output has, by the shapes of its inputs; none holds the batch.

Each function takes the shapes of the inputs and the layer's arguments, and raises ValueError
where they do not go together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Shape = tuple[int, ...]
Shapes = Sequence[Shape]
Arguments = Mapping[str, Any]


def image(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of the input: (height, width, channels)."""
    return arguments["height"], arguments["width"], arguments["channels"]


def unchanged(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of all that works number by number."""
    return inputs[0]


def unchanged_image(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of what works number by number on channels of places."""
    height, width, channels = _image(inputs)
    return height, width, channels


def conv2d(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of a convolution: (h, w, filters)."""
    *_, channels = _image(inputs)
    groups = arguments.get("groups", 1)
    if channels % groups or arguments["filters"] % groups:
        raise ValueError(f"{groups} groups do not divide its channels")
    return *_slid(inputs, arguments), arguments["filters"]


def depthwise_conv2d(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of a convolution of each channel: (h, w, channels · depth_multiplier)."""
    _check_equal_strides(arguments)
    *_, channels = _image(inputs)
    return *_slid(inputs, arguments), channels * arguments["depth_multiplier"]


def separable_conv2d(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of a depthwise and then a pointwise convolution: (h, w, filters)."""
    _check_equal_strides(arguments)
    return *_slid(inputs, arguments), arguments["filters"]


def pooling2d(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of pooling: (h, w, channels)."""
    *_, channels = _image(inputs)
    return *_slid(inputs, arguments), channels


def global_pooling2d(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of pooling over all places: (channels,), or (1, 1, channels) to keep the axes."""
    *_, channels = _image(inputs)
    return (1, 1, channels) if arguments["keepdims"] else (channels,)


def dense(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of a dense layer, which works on the last axis: (…, units)."""
    return *inputs[0][:-1], arguments["units"]


def group_normalization(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of a normalization of groups of channels."""
    *_, channels = _image(inputs)
    if channels % arguments["groups"]:
        raise ValueError(f"{arguments['groups']} groups do not divide its {channels} channels")
    return inputs[0]


def rescaling(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of scale and offset, each one number or one a channel."""
    for name in ("scale", "offset"):
        value = arguments[name]
        if isinstance(value, tuple) and len(value) != inputs[0][-1]:
            raise ValueError(f"{name} has {len(value)} numbers for {inputs[0][-1]} channels")
    return inputs[0]


def broadcast(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of arithmetic on several inputs; an axis of length 1 stands for every place."""
    if len({len(shape) for shape in inputs}) > 1:
        raise ValueError("its inputs have different numbers of axes")
    sides = []
    for lengths in zip(*inputs, strict=True):
        several = set(lengths) - {1}
        if len(several) > 1:
            raise ValueError(f"its inputs do not fit each other: {_in_words(inputs)}")
        sides.append(max(lengths))
    return tuple(sides)


def concatenate(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of inputs one behind the other along one axis, counted from 1 behind the batch."""
    axis = _axis(arguments["axis"], len(inputs[0]))
    rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in inputs}
    if len(rests) > 1 or len({len(shape) for shape in inputs}) > 1:
        raise ValueError(f"its inputs do not fit each other: {_in_words(inputs)}")
    length = sum(shape[axis] for shape in inputs)
    return *inputs[0][:axis], length, *inputs[0][axis + 1 :]


def zero_padding2d(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of zeros laid around: (h + top + bottom, w + left + right, channels)."""
    height, width, channels = _image(inputs)
    (top, bottom), (left, right) = arguments["padding"]
    return height + top + bottom, width + left + right, channels


def cropping2d(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of edges cut off: (h − top − bottom, w − left − right, channels)."""
    height, width, channels = _image(inputs)
    (top, bottom), (left, right) = arguments["cropping"]
    return height - top - bottom, width - left - right, channels


def up_sampling2d(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of each place repeated: (h · size, w · size, channels)."""
    height, width, channels = _image(inputs)
    down, across = arguments["size"]
    return height * down, width * across, channels


def resizing(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of an image resized to (height, width, channels)."""
    *_, channels = _image(inputs)
    return arguments["height"], arguments["width"], channels


def reshape(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of the same numbers in another shape."""
    shape: Shape = arguments["target_shape"]
    if math.prod(shape) != math.prod(inputs[0]):
        raise ValueError(f"{_in_words(inputs)} does not become {_in_words([shape])}")
    return shape


def flatten(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of all numbers in one row."""
    return (math.prod(inputs[0]),)


def permute(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of axes in another order, counted from 1 behind the batch."""
    order = arguments["dims"]
    if sorted(order) != list(range(1, len(inputs[0]) + 1)):
        raise ValueError(f"{order} is no order of its {len(inputs[0])} axes")
    return tuple(inputs[0][axis - 1] for axis in order)


def prelu(inputs: Shapes, arguments: Arguments) -> Shape:
    """Of a rectifier with slopes of its own along the axes that are not shared."""
    if any(axis > len(inputs[0]) for axis in arguments["shared_axes"]):
        raise ValueError(f"it has {len(inputs[0])} axes")
    return inputs[0]


def _image(inputs: Shapes) -> tuple[int, int, int]:
    if len(inputs[0]) != 3:
        raise ValueError(f"it needs height, width and channels, and is given {_in_words(inputs)}")
    height, width, channels = inputs[0]
    return height, width, channels


def _slid(inputs: Shapes, arguments: Arguments) -> tuple[int, int]:
    """Return how often a window has a place, downwards and across."""
    height, width, _ = _image(inputs)
    window = arguments.get("kernel_size") or arguments["pool_size"]
    dilation = arguments.get("dilation_rate", (1, 1))
    strides = arguments["strides"]
    if max(strides) > 1 and max(dilation) > 1:
        raise ValueError("it has both strides and dilation")
    if arguments["padding"] == "same":
        return -(-height // strides[0]), -(-width // strides[1])
    reach = [(side - 1) * apart + 1 for side, apart in zip(window, dilation, strict=True)]
    return (height - reach[0]) // strides[0] + 1, (width - reach[1]) // strides[1] + 1


def _check_equal_strides(arguments: Arguments) -> None:
    if arguments["strides"][0] != arguments["strides"][1]:
        raise ValueError("its strides differ downwards and across")


def _axis(axis: int, axes: int) -> int:
    if axis == -1:
        return axes - 1
    if not 1 <= axis <= axes:
        raise ValueError(f"it has no axis {axis}")
    return axis - 1


def _in_words(shapes: Shapes) -> str:
    return " and ".join("×".join(str(side) for side in shape) for shape in shapes)

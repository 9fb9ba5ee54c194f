"""An ONNX graph while it is written: nodes, constants, and in which order axes are.

Networks here have their channels last; most operators of ONNX want them first. A value is turned
only where an operator asks for the other order, and then once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imgcls.core.arrays import Float32Array
from imgcls.core.models.layer_shapes import Shape

Layout = Literal["first", "last"]

# (n, h, w, c) → (n, c, h, w), and back.
_TURNED: dict[Layout, list[int]] = {"first": [0, 3, 1, 2], "last": [0, 2, 3, 1]}


@dataclass
class Value:
    """What a layer gives.

    Attributes:
        shape: without the batch, channels last, as a described network has it.
        names: what the graph calls it, by layout; without height and width only "last".
    """

    shape: Shape
    names: dict[Layout, str]

    @property
    def is_image(self) -> bool:
        """Whether it has a height and a width."""
        return len(self.shape) == 3


@dataclass
class Graph:
    """The nodes and constants so far.

    Attributes:
        opset: the version of ONNX' operators.
        nodes: in order.
        constants: what nodes take besides values.
    """

    opset: int
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def node(self, kind: str, inputs: Sequence[str], /, **attributes: Any) -> str:
        """Add a node of one output; return its name."""
        from onnx import helper

        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, array: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        content = np.ascontiguousarray(array, dtype)
        self.constants.append(numpy_helper.from_array(content.reshape(np.shape(array)), name))
        return name

    def named(self, value: Value, layout: Layout) -> str:
        """Return what a value is called in a layout, turned now if it is not there yet."""
        if layout not in value.names:
            (other,) = value.names.values()
            value.names[layout] = self.node("Transpose", [other], perm=_TURNED[layout])
        return value.names[layout]

    def channels(self, numbers: npt.ArrayLike, layout: Layout) -> str:
        """Add one number, or one a channel (c,), shaped to be broadcast over a value."""
        array = np.asarray(numbers, np.float32)
        return self.constant(array.reshape(-1, 1, 1) if array.ndim and layout == "first" else array)


Arguments = Mapping[str, Any]
Parameters = Mapping[str, Float32Array]
# What is added for a layer: its inputs, arguments and parameters → name and layout of its output.
Write = Callable[[Graph, Sequence[Value], Arguments, Parameters], tuple[str, Layout]]


def common_layout(values: Sequence[Value]) -> Layout:
    """Return a layout that all of them have, or else the one that most operators want."""
    if all("last" in value.names and "first" not in value.names for value in values):
        return "last"
    return "first" if values[0].is_image else "last"

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.tasks.export.onnx_graph import Graph, Value, common_layout

pytest.importorskip("onnx")


def test_a_value_is_turned_once() -> None:
    graph, value = Graph(17), Value((4, 5, 3), {"last": "image"})
    first = graph.named(value, "first")
    assert graph.named(value, "first") == first != graph.named(value, "last") == "image"
    assert [node.op_type for node in graph.nodes] == ["Transpose"]
    assert list(graph.nodes[0].attribute[0].ints) == [0, 3, 1, 2]


def test_layouts() -> None:
    last, both = Value((4, 5, 3), {"last": "a"}), Value((4, 5, 3), {"last": "b", "first": "c"})
    assert common_layout([last, last]) == "last"
    assert common_layout([last, both]) == "first"
    assert common_layout([Value((7,), {"last": "d"})]) == "last"


def test_numbers_a_channel_fit_their_layout() -> None:
    from onnx import numpy_helper

    graph = Graph(17)
    graph.channels([1.0, 2.0], "first")
    graph.channels([1.0, 2.0], "last")
    graph.channels(2.0, "first")
    shapes = [numpy_helper.to_array(constant).shape for constant in graph.constants]
    assert shapes == [(2, 1, 1), (2,), ()]
    assert graph.constants[0].data_type == 1  # float32
    np.testing.assert_array_equal(numpy_helper.to_array(graph.constants[1]), [1, 2])

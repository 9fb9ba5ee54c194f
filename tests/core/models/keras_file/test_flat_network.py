from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.models.keras_file.flat_network import FlatNetwork
from tests.core.models.keras_file.source_trees import flat_of, kinds, layer, model


def on_image() -> FlatNetwork:
    flat = FlatNetwork()
    flat.add("image", "input", (), {"height": 4, "width": 4, "channels": 3})
    return flat


def test_names_become_ours() -> None:
    flat = flat_of(model(layer("block/ä b", "ReLU", "image"), layer("/", "ReLU", "block/ä b")))
    assert [name for name, *_ in kinds(flat)] == ["block___b", "layer"]


def test_a_layer_is_added_with_its_shape_or_not_at_all() -> None:
    flat = on_image()
    arguments, kernel = {"units": 2, "use_bias": False}, np.ones((3, 2), np.float32)
    assert flat.add("d", "dense", ("image",), arguments, {"kernel": kernel}) == "d"
    assert flat.shapes["d"] == (4, 4, 2)
    with pytest.raises(ValueError, match="its weights have other shapes than its arguments say"):
        flat.add("e", "dense", ("d",), arguments, {"kernel": kernel})
    assert [layer.name for layer in flat.layers] == list(flat.shapes) == ["image", "d"]


def test_layers_and_arrays_that_do_not_lead_to_the_output_are_left_out() -> None:
    flat = on_image()
    slopes = {"alpha": np.ones((4, 4, 3), np.float32)}
    flat.add("side", "prelu", ("image",), {}, slopes)
    flat.output = flat.add("main", "prelu", ("image",), {}, slopes)
    flat.prune()
    assert kinds(flat) == [("main", "prelu", ("image",))]
    assert list(flat.arrays) == ["main"]

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.keras.described import build_described, described_variables
from imgcls.core.models.described_layer import Layer
from imgcls.core.models.layer_kinds import ACTIVATIONS, INPUT, LAYER_KINDS
from imgcls.core.models.network_description import NetworkDescription

SIZE = {"height": 9, "width": 9, "channels": 3}
WINDOW = {"kernel_size": (3, 2), "strides": (2, 2), "padding": "same"}
NORMS = {"epsilon": 0.001}
# Each kind, with arguments that are not its defaults.
EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("conv2d", {"filters": 6, **WINDOW, "groups": 3, "activation": "relu"}),
    ("conv2d", {"filters": 4, "kernel_size": (3, 3), "dilation_rate": (2, 3), "use_bias": False}),
    ("depthwise_conv2d", {**WINDOW, "depth_multiplier": 2, "activation": "silu"}),
    ("separable_conv2d", {"filters": 5, **WINDOW, "depth_multiplier": 2}),
    ("dense", {"units": 4, "activation": "gelu"}),
    ("batch_normalization", NORMS),
    ("batch_normalization", {**NORMS, "center": False, "scale": False}),
    ("layer_normalization", NORMS),
    ("group_normalization", {"groups": 3, **NORMS}),
    ("unit_normalization", {}),
    ("normalization", {}),
    ("channel_scale", {}),
    ("rescaling", {"scale": 2.0, "offset": (1.0, 2.0, 3.0)}),
    ("reverse_channels", {}),
    *(("activation", {"activation": name}) for name in ACTIVATIONS),
    ("relu", {"max_value": 1.0, "negative_slope": 0.5, "threshold": 0.25}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {"alpha": 0.5}),
    ("prelu", {"shared_axes": (1, 2)}),
    ("max_pooling2d", {"pool_size": (2, 3), "strides": (2, 1), "padding": "same"}),
    ("average_pooling2d", {"pool_size": (2, 3), "strides": (2, 1)}),
    ("global_max_pooling2d", {"keepdims": True}),
    ("global_average_pooling2d", {}),
    ("zero_padding2d", {"padding": ((1, 2), (0, 3))}),
    ("cropping2d", {"cropping": ((1, 2), (0, 3))}),
    ("up_sampling2d", {"size": (2, 3), "interpolation": "nearest"}),
    ("up_sampling2d", {"size": (2, 2), "interpolation": "bilinear"}),
    ("resizing", {"height": 5, "width": 12, "interpolation": "bilinear"}),
    ("flatten", {}),
    ("reshape", {"target_shape": (27, 9)}),
    ("permute", {"dims": (3, 1, 2)}),
    ("add", {}),
    ("subtract", {}),
    ("multiply", {}),
    ("average", {}),
    ("maximum", {}),
    ("minimum", {}),
    ("concatenate", {"axis": 2}),
    ("concatenate", {}),
]


def network(kind: str, arguments: dict[str, Any]) -> NetworkDescription:
    twice = ("image",) * LAYER_KINDS[kind].inputs[0]
    return NetworkDescription(
        (Layer("image", INPUT, (), SIZE), Layer("layer", kind, twice, arguments))
    )


def test_every_kind_has_an_example() -> None:
    assert {INPUT, *(kind for kind, _ in EXAMPLES)} == LAYER_KINDS.keys()


@pytest.mark.parametrize(("kind", "arguments"), EXAMPLES)
def test_keras_agrees(kind: str, arguments: dict[str, Any]) -> None:
    described = network(kind, arguments)
    model = build_described(described)
    assert model.output.shape[1:] == described.output_shape
    variables = described_variables(model, described)
    assert {name: tuple(v.shape) for name, v in variables.items()} == described.tensors
    counts = 1 if kind == "normalization" else 0  # of what its statistics were made of
    assert len(model.weights) == len(variables) + counts
    config = model.get_layer("layer").get_config()
    for name, value in arguments.items():
        kept = config[name] if not isinstance(config[name], list) else tuple(config[name])
        assert kept == value or value == config.get("activation")


def test_a_deep_network() -> None:
    layers = [Layer("0", INPUT, (), SIZE)]
    for position in range(1, 850):
        layers.append(Layer(str(position), "relu", (str(position - 1),)))
    model = build_described(NetworkDescription(tuple(layers)))
    assert len(model.layers) == 850

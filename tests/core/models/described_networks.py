"""Described networks of one or two layers, and how they are refused."""

from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.network_description import NetworkDescription

IMAGE = Layer("image", "input", (), {"height": 8, "width": 6, "channels": 3})
CONV = Layer("conv", "conv2d", ("image",), {"filters": 4, "kernel_size": (3, 3)})
FLAT_IMAGE = Layer("f", "flatten", ("image",))


def on_image(kind: str, **arguments: Any) -> tuple[Layer, ...]:
    return (IMAGE, Layer("layer", kind, ("image",), arguments))


def conv(**arguments: Any) -> tuple[Layer, ...]:
    return on_image("conv2d", **{"filters": 4, "kernel_size": (3, 3), **arguments})


def assert_refused(layers: tuple[Layer, ...], message: str) -> None:
    """Assert that they are no network, and that a terminal can show why."""
    with pytest.raises(ValueError, match=message) as raised:
        NetworkDescription(layers)
    assert len(str(raised.value)) < 300
    assert str(raised.value).isprintable()

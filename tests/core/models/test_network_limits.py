from __future__ import annotations

import time

import pytest

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.network_description import NetworkDescription
from tests.core.models.described_networks import IMAGE, assert_refused

LARGE_KERNEL = {"filters": 64, "kernel_size": (1024, 1024), "padding": "same"}


def doubled(times: int) -> tuple[Layer, ...]:
    """Return a chain of which each layer has twice the places of the one before."""
    chain = [IMAGE]
    for position in range(times):
        arguments = {"size": (2, 2), "interpolation": "nearest"}
        chain.append(Layer(f"x{position}", "up_sampling2d", (chain[-1].name,), arguments))
    return tuple(chain)


def kept(count: int) -> tuple[Layer, ...]:
    """Return layers of 64 MB each that are all needed at the end."""
    size = {"height": 4096, "width": 4096, "channels": 3}
    small = {"height": 2048, "width": 2048, "interpolation": "nearest"}
    layers = [Layer("image", "input", (), size), Layer("small", "resizing", ("image",), small)]
    layers += [Layer(f"x{i}", "relu", ("small",)) for i in range(count)]
    return (*layers, Layer("sum", "add", tuple(f"x{i}" for i in range(count))))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((*doubled(12),), r"its output is 16384×12288×3 numbers|its output is 8192×6144×3"),
        (kept(30), "too much memory"),
        (
            (
                Layer("image", "input", (), {"height": 512, "width": 512, "channels": 3}),
                Layer("a", "conv2d", ("image",), {"filters": 256, "kernel_size": (1, 1)}),
                Layer("b", "conv2d", ("a",), LARGE_KERNEL),
            ),
            "multiplications an image",
        ),
    ],
)
def test_what_takes_too_much_memory_or_work_is_refused(
    layers: tuple[Layer, ...], message: str
) -> None:
    assert_refused(layers, message)


def test_too_many_layers_in_a_row_are_refused() -> None:
    chain = [IMAGE]
    for position in range(3000):
        chain.append(Layer(f"x{position}", "relu", (chain[-1].name,)))
    with pytest.raises(ValueError, match="over 850 layers come one after another"):
        NetworkDescription(tuple(chain))


@pytest.mark.parametrize("short_cut_first", [True, False])
def test_a_chain_with_short_cuts(short_cut_first: bool) -> None:
    """Of 1201 layers in a row, Keras goes through 301 where an addition names them last."""
    chain = [IMAGE]
    for position in range(300):
        before = chain[-1].name
        for name in "abc":
            chain.append(Layer(f"{name}{position}", "relu", (chain[-1].name,)))
        inputs = (before, chain[-1].name) if short_cut_first else (chain[-1].name, before)
        chain.append(Layer(f"add{position}", "add", inputs))
    if short_cut_first:
        assert len(NetworkDescription(tuple(chain)).layers) == 1201
        return
    with pytest.raises(ValueError, match="over 850 layers come one after another"):
        NetworkDescription(tuple(chain))


def test_many_large_layers() -> None:
    """Each is done with when the next is there, but gradients need them all."""
    size = {"height": 2048, "width": 2048, "channels": 3}
    chain = [Layer("image", "input", (), size)]
    for position in range(130):
        chain.append(Layer(f"x{position}", "relu", (chain[-1].name,)))
    with pytest.raises(ValueError, match="layer x127: up to here an image needs too much memory"):
        NetworkDescription(tuple(chain))


def test_checking_is_quick() -> None:
    layers = [IMAGE, *(Layer(f"x{i}", "relu", ("image",)) for i in range(3900))]
    for start in range(1, 3900, 60):
        names = tuple(layer.name for layer in layers[start : start + 60])
        layers.append(Layer(f"sum{start}", "add", (*names, *names)[:60]))
    sums = tuple(layer.name for layer in layers if layer.name.startswith("sum"))
    layers += [Layer("a", "add", sums[:33]), Layer("b", "add", (*sums[33:], "a"))]
    started = time.perf_counter()
    NetworkDescription(tuple(layers[:4000]))
    assert time.perf_counter() - started < 1

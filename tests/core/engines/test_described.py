"""A described network from its model file on: LiteRT, Keras, heatmaps, further training."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core import progress
from imgcls.core.engines.model import Model, load_model
from imgcls.core.errors import ModelError
from imgcls.core.models.described_layer import Layer
from imgcls.core.models.head import Head
from imgcls.core.models.model_file import ModelFile, read_model_file, write_model_file
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.pixels.preprocessing import Preprocessing

LABELS = ("cat", "dog", "fox")
BACKBONE = (
    Layer("image", "input", (), {"height": 16, "width": 16, "channels": 3}),
    Layer("scaled", "rescaling", ("image",), {"scale": 1 / 255, "offset": (0.1, 0.2, 0.3)}),
    Layer("bgr", "reverse_channels", ("scaled",)),
    Layer("conv", "conv2d", ("bgr",), {"filters": 4, "kernel_size": (3, 3), "padding": "same"}),
    Layer("norm", "batch_normalization", ("conv",), {"epsilon": 0.001}),
    Layer("act", "activation", ("norm",), {"activation": "silu"}),
    Layer("pool", "max_pooling2d", ("act",), {"pool_size": (2, 2), "strides": (2, 2)}),
    Layer("conv2", "conv2d", ("pool",), {"filters": 5, "kernel_size": (3, 3)}),
)
POOLED = NetworkDescription((*BACKBONE, Layer("gap", "global_average_pooling2d", ("conv2",))))
# Ends in the logits of a 1×1 convolution, as MobileNet does.
WHOLE = NetworkDescription(
    (
        *BACKBONE,
        Layer("gap", "global_average_pooling2d", ("conv2",), {"keepdims": True}),
        Layer("logits", "conv2d", ("gap",), {"filters": 3, "kernel_size": (1, 1)}),
        Layer("flat", "flatten", ("logits",)),
    )
)
FLAT = NetworkDescription((*BACKBONE, Layer("flat", "flatten", ("conv2",))))
FLATTENED = (Layer("flat", "flatten", ("image",)),)


def weights(described: NetworkDescription) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        name: np.abs(random.normal(0.3, 0.2, shape)).astype(np.float32)
        if name.endswith("variance")
        else random.normal(0, 0.4, shape).astype(np.float32)
        for name, shape in described.tensors.items()
    }


def head(width: int) -> Head:
    kernel = np.random.default_rng(1).normal(size=(width, 3)).astype(np.float32)
    return Head(((kernel, np.array([0.1, 0.2, 0.3], np.float32)),))


def write(path: Path, described: NetworkDescription, top: Head | None) -> Path:
    file = ModelFile(
        backbone="described",
        backbone_weights="stored",
        weights_sha256="",
        head=top,
        labels=LABELS,
        preprocessing=Preprocessing(16, 16, "none"),
        described=described,
    )
    write_model_file(path, file, weights(described))
    return path


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (2, 16, 16, 3)).astype(np.float32)


def by_hand(batch: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
    """Compute conv2's output (n, 6, 6, 5) with numpy."""
    x = (batch / 255 + np.array([0.1, 0.2, 0.3]))[..., ::-1]
    x = convolve(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), values, "conv")
    deviation = np.sqrt(values["network.norm.moving_variance"] + 0.001)
    x = (x - values["network.norm.moving_mean"]) / deviation
    x = x * values["network.norm.gamma"] + values["network.norm.beta"]
    x = x / (1 + np.exp(-x))
    x = x.reshape(-1, 8, 2, 8, 2, 4).max(axis=(2, 4))
    return convolve(x, values, "conv2")


def convolve(x: np.ndarray, values: dict[str, np.ndarray], name: str) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    kernel = values[f"network.{name}.kernel"]
    convolved: np.ndarray = np.einsum("nhwcij,ijcf->nhwf", windows, kernel)
    return convolved + values[f"network.{name}.bias"]


def opened(path: Path, engine: Any = "litert") -> Model:
    return load_model(str(path), engine=engine, threads=1)


@pytest.mark.parametrize("engine", ["litert", "keras"])
def test_runs(tmp_path: Path, batch: np.ndarray, engine: str) -> None:
    top = head(5)
    model = opened(write(tmp_path / "m.safetensors", POOLED, top), engine)
    conv2 = by_hand(batch, weights(POOLED))
    features = conv2.mean(axis=(1, 2))
    kernel, bias = top.layers[0]
    np.testing.assert_allclose(model.logits(batch), features @ kernel + bias, atol=1e-4)
    found = model.engine.run(batch, ("features", "activations", "logits"))
    for output, expected in zip(found, (features, conv2, features @ kernel + bias), strict=True):
        np.testing.assert_allclose(output, expected, atol=1e-4)
    assert model.network.spec.cam_layer == "conv2"
    assert model.network.spec.features_layer == ""  # so heatmaps need no gradients of Keras


def test_what_is_waited_for_has_the_name_of_its_file_and_not_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []

    def wait(what: str) -> contextlib.AbstractContextManager[None]:
        said.append(what)
        if what.startswith("compiling"):
            raise KeyboardInterrupt  # which takes seconds
        return contextlib.nullcontext()

    monkeypatch.setattr(progress, "_waits", [wait])
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    (folder := tmp_path / ("x" * 80)).mkdir()
    with caplog.at_level("INFO", "imgcls"), pytest.raises(KeyboardInterrupt):
        opened(write(folder / "m.safetensors", POOLED, head(5)))
    assert said[0] == "opening m.safetensors"
    assert said[1].startswith("compiling m.safetensors for this machine, usually about ")
    assert caplog.messages == ["m.safetensors: compiling it for this machine, once"]


def test_without_a_head(tmp_path: Path, batch: np.ndarray) -> None:
    model = opened(write(tmp_path / "m.safetensors", WHOLE, None))
    values = weights(WHOLE)
    features = by_hand(batch, values).mean(axis=(1, 2))
    logits = features @ values["network.logits.kernel"][0, 0] + values["network.logits.bias"]
    np.testing.assert_allclose(model.logits(batch), logits, atol=1e-4)
    (found,) = model.engine.run(batch, ("features",))
    np.testing.assert_allclose(found, features, atol=1e-4)
    assert (model.head, model.network.spec.features_layer) == (None, "gap")


def test_flattened_features(tmp_path: Path, batch: np.ndarray) -> None:
    top = head(180)
    model = opened(write(tmp_path / "m.safetensors", FLAT, top))
    kernel, bias = top.layers[0]
    features = by_hand(batch, weights(FLAT)).reshape(2, -1)
    np.testing.assert_allclose(model.logits(batch), features @ kernel + bias, atol=1e-4)


def test_only_dense_layers(tmp_path: Path, batch: np.ndarray) -> None:
    """A network of which only the input has places runs on LiteRT, too."""
    image, top = BACKBONE[0], head(768)
    path = write(tmp_path / "m.safetensors", NetworkDescription((image, *FLATTENED)), top)
    kernel, bias = top.layers[0]
    logits, activations = opened(path).engine.run(batch, ("logits", "activations"))
    np.testing.assert_allclose(logits, batch.reshape(2, -1) @ kernel + bias, rtol=1e-4)
    np.testing.assert_array_equal(activations, batch)


def test_damaged_descriptions(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    for described, top, message in (
        (POOLED, head(4), r"does not stand on the \(5,\)"),
        (POOLED, None, r"does not stand on the \(5,\)"),
        (NetworkDescription(BACKBONE), head(5), "does not stand on"),
    ):
        write(path, described, top)
        with pytest.raises(ModelError, match=message):
            read_model_file(path)

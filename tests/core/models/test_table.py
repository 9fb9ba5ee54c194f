"""The rows of the model table against keras.applications itself.

A model is built as `weights="imagenet"` builds it, but symbolically: no file is fetched and no
variable allocated, so that even ConvNeXt-XLarge takes a second and no memory.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.models.spec import BEFORE_POOLING, BundledWeights, PublishedWeights
from imgcls.core.models.table import DEFAULT_MODEL, MODELS

# MobileNetV3 says which of its files it takes.
pytestmark = pytest.mark.filterwarnings("ignore:`input_shape` is undefined")

BUNDLED = {name: spec for name, spec in MODELS.items() if isinstance(spec.weights, BundledWeights)}
PUBLISHED = {name: spec for name, spec in MODELS.items() if name not in BUNDLED}

# At least one of every family; the others are slow.
QUICK = {
    *("mobilenet", "mobilenet-v2", "mobilenet-v3-small", "densenet121", "nasnet-mobile"),
    *("efficientnet-b0", "efficientnet-v2-b0", "convnext-tiny", "resnet50", "resnet50v2"),
    *("inception-v3", "xception", "vgg16", *BUNDLED),
}


@dataclass(frozen=True)
class Built:
    """A model with its top, and what Keras asked for to fill it."""

    model: Any
    fetched: dict[str, Any]


def build(name: str, *, include_top: bool = True, **arguments: Any) -> Built:
    import keras
    from keras.src.utils import file_utils

    spec = MODELS[name]
    fetched: dict[str, Any] = {}

    def get_file(fname: str, origin: str, **options: Any) -> str:
        fetched.update(file_name=fname, url=origin, checksum=options.get("file_hash") or "")
        return "not fetched"

    with pytest.MonkeyPatch.context() as patch, keras.StatelessScope(initialize_variables=False):
        if isinstance(spec.weights, BundledWeights):
            from imgcls.core.keras.architectures import build_efficientnet_lite

            sizes: Any = dict(spec.arguments)
            side = spec.preprocessing.size
            return Built(build_efficientnet_lite(**sizes, input_shape=(side, side, 3)), {})
        patch.setattr(file_utils, "get_file", get_file)
        patch.setattr(keras.Model, "load_weights", lambda *_: None)
        builder = getattr(keras.applications, spec.builder)
        return Built(builder(include_top=include_top, **dict(spec.arguments), **arguments), fetched)


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest) -> Iterator[Built]:
    import keras

    yield build(request.param)
    keras.backend.clear_session()  # forgets the variables that were never allocated


def each_built(names: Iterable[str]) -> pytest.MarkDecorator:
    """Give a test each row's name and its model, built once for all tests of the row."""
    rows = [
        pytest.param(name, name, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name in names
    ]
    return pytest.mark.parametrize(("name", "built"), rows, indirect=["built"], scope="module")


def producer(tensor: Any) -> Any:
    """Return the operation that made a Keras tensor."""
    return tensor._keras_history.operation


def sources(operation: Any) -> list[Any]:
    """Return the operations that an operation reads."""
    return [producer(tensor) for tensor in operation._inbound_nodes[0].input_tensors]


def find_layer(model: Any, name: str) -> Any:
    """Return the operation that `cam_layer` or `features_layer` names."""
    from keras import layers

    if name != BEFORE_POOLING:
        return model.get_layer(name)
    poolings = [x for x in model.layers if isinstance(x, layers.GlobalAveragePooling2D)]
    return producer(poolings[-1].input)


def head_after(model: Any, operation: Any) -> list[Any]:
    """Return what lies between an operation and the model's output, in order."""
    path = [producer(model.output)]
    while path[0] is not operation:
        (before,) = sources(path[0])
        path.insert(0, before)
    return path[1:]


def is_linear(head: list[Any]) -> bool:
    """Whether a head is global average pooling, one linear layer, and softmax at most."""
    from keras import layers

    pooling, *rest = head
    passing = (layers.Dropout, layers.Flatten, layers.Reshape)
    rest = [x for x in rest if not isinstance(x, passing)]
    if rest and isinstance(rest[-1], layers.Activation):  # scores of a convolution
        assert rest.pop().activation.__name__ == "softmax"
    return (
        isinstance(pooling, layers.GlobalAveragePooling2D)
        and len(rest) == 1
        and isinstance(rest[0], layers.Dense | layers.Conv2D)
        and getattr(rest[0], "kernel_size", (1, 1)) == (1, 1)
        and rest[0].activation.__name__ in {"linear", "softmax"}
    )


@pytest.mark.parametrize("name", MODELS)
def test_name_is_lower_case_with_hyphens(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)


def test_first_row_is_the_default() -> None:
    assert next(iter(MODELS)) == DEFAULT_MODEL == "efficientnet-lite0"


def test_every_builder_of_keras_has_one_row() -> None:
    import keras

    builders = [name for name, x in vars(keras.applications).items() if inspect.isfunction(x)]
    assert sorted(spec.builder for spec in PUBLISHED.values()) == sorted(builders)


@pytest.mark.parametrize("name", MODELS)
def test_facts_are_plausible(name: str) -> None:
    spec = MODELS[name]
    assert re.fullmatch(r"https://arxiv\.org/abs/\d{4}\.\d{4,5}", spec.paper)
    assert spec.licence in {"Apache-2.0", "BSD-3-Clause", "CC-BY-4.0", "MIT"}
    assert spec.top1 is not None and 65 < spec.top1 < 90
    assert spec.preprocessing.resize_to >= spec.preprocessing.size
    if isinstance(spec.weights, PublishedWeights):
        assert re.fullmatch(r"|[0-9a-f]{32}|[0-9a-f]{64}", spec.weights.checksum)
        # Four bytes a parameter; some files hold more than the weights.
        assert spec.weights.megabytes == pytest.approx(spec.parameters * 4 / 2**20, rel=0.45)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_weights_are_in_their_package(name: str) -> None:
    weights = BUNDLED[name].weights
    assert isinstance(weights, BundledWeights)
    package = importlib.util.find_spec(weights.package)
    if package is None or package.origin is None:
        pytest.skip(f"{weights.package} is not installed")
    content = Path(package.origin).parent.joinpath(weights.file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == weights.sha256


@each_built(PUBLISHED)
def test_weights_are_what_keras_fetches(name: str, built: Built) -> None:
    weights = MODELS[name].weights
    assert isinstance(weights, PublishedWeights)
    assert built.fetched == {
        "file_name": weights.file_name,
        "url": weights.url,
        "checksum": weights.checksum,
    }


@each_built(MODELS)
def test_parameters(name: str, built: Built) -> None:
    assert built.model.count_params() == MODELS[name].parameters


@each_built(MODELS)
def test_input_size(name: str, built: Built) -> None:
    size = MODELS[name].preprocessing.size
    any_size = (None, None, None, 3)  # MobileNetV3 takes every size; its file is named for one
    if built.model.input_shape == any_size:
        assert f"_{size}_" in built.fetched["file_name"]
    else:
        assert built.model.input_shape == (None, size, size, 3)


@each_built(MODELS)
def test_cam_layer_is_the_last_with_height_and_width(name: str, built: Built) -> None:
    layer = find_layer(built.model, MODELS[name].cam_layer)
    assert len(layer.output.shape) == 4
    after = [x.output.shape for x in head_after(built.model, layer)]
    if name.startswith("vgg"):  # the finer map before its last max pooling
        assert after.pop(0) == (None, 7, 7, 512)
    assert all(len(shape) == 2 or shape[1:3] == (1, 1) for shape in after)


@each_built(MODELS)
def test_linear_head(name: str, built: Built) -> None:
    spec = MODELS[name]
    head = head_after(built.model, find_layer(built.model, spec.cam_layer))
    assert is_linear(head) is spec.linear_head


@each_built(PUBLISHED)
def test_layers_are_found_whatever_was_built_before(name: str, built: Built) -> None:
    spec = MODELS[name]
    again = build(name).model  # its running numbers go on where the first ended
    for wanted in (spec.cam_layer, spec.features_layer or spec.cam_layer):
        one, other = find_layer(built.model, wanted), find_layer(again, wanted)
        assert type(one) is type(other)
        assert one.output.shape == other.output.shape


@each_built(PUBLISHED)
def test_features_are_those_of_keras_without_top(name: str, built: Built) -> None:
    from keras import layers

    spec = MODELS[name]
    side = spec.preprocessing.size
    ours = find_layer(built.model, spec.features_layer or spec.cam_layer)
    bare = build(name, include_top=False, pooling="avg", input_shape=(side, side, 3)).model
    theirs = producer(bare.output)
    assert bare.output.shape == (None, ours.output.shape[-1])
    if len(ours.output.shape) == 2:  # ConvNeXt: normalized after pooling
        assert type(ours) is type(theirs) is layers.LayerNormalization
        (ours,), (theirs,) = sources(ours), sources(theirs)
        assert type(ours) is layers.GlobalAveragePooling2D
        (ours,) = sources(ours)
    assert type(theirs) is layers.GlobalAveragePooling2D
    (theirs,) = sources(theirs)
    assert type(theirs) is type(ours)
    assert theirs.name == ours.name or spec.cam_layer == BEFORE_POOLING


@pytest.mark.parametrize("name", PUBLISHED)
def test_scaling_is_that_of_keras(name: str) -> None:
    import keras

    spec = MODELS[name]
    module = importlib.import_module(getattr(keras.applications, spec.builder).__module__)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    expected = module.preprocess_input(pixels.copy())
    scaled = spec.preprocessing.scale(pixels)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, rtol=1e-6)

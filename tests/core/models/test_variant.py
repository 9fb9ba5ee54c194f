"""Networks at another size and for other features: what their rows say then."""

from __future__ import annotations

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.models.backbones import BACKBONES
from imgcls.core.models.described_layer import Layer
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.models.spec import LAST_ACTIVATION, ModelSpec, described_spec
from imgcls.core.models.table import MODELS
from imgcls.core.models.variant import AS_IT_IS, Variant, varied
from imgcls.core.pixels.preprocessing import Preprocessing

IMAGE = Layer("image", "input", (), {"height": 8, "width": 8, "channels": 3})
CONV = Layer("conv", "conv2d", ("image",), {"filters": 4, "kernel_size": (3, 3)})
POOL = Layer("pool", "max_pooling2d", ("conv",), {"pool_size": (2, 2)})
MEAN = Layer("mean", "global_average_pooling2d", ("conv",))
FLAT = Layer("flat", "flatten", ("pool",))


def spec(*layers: Layer) -> ModelSpec:
    """Return the row of an imported classifier of two classes."""
    logits = Layer("logits", "dense", (layers[-1].name,), {"units": 2})
    network = NetworkDescription((IMAGE, CONV, *layers, logits))
    return described_spec(network, Preprocessing(8, 8, "none"), has_head=False)


def kinds(row: ModelSpec) -> list[str]:
    assert row.described is not None
    return [layer.kind for layer in row.described.layers]


@pytest.mark.parametrize("name", BACKBONES)
def test_what_a_row_has_anyway_changes_nothing(name: str) -> None:
    row = BACKBONES[name]
    own = "flatten" if row.flat_features else "avg"
    assert varied(name, row, AS_IT_IS) is row
    assert varied(name, row, Variant(row.preprocessing.size, own)) is row


@pytest.mark.parametrize("name", BACKBONES)
def test_the_least_size_and_one_below(name: str) -> None:
    row = BACKBONES[name]
    least = row.least_size
    other = varied(name, row, Variant(least))
    assert other.preprocessing.size == least
    assert other.ends_in_features
    with pytest.raises(UsageError) as raised:
        varied(name, row, Variant(least - 1))
    assert str(raised.value) == (
        f"{name}: takes images of {least}×{least} pixels or more, not {least - 1}×{least - 1}; "
        "give a larger `size`"
    )


def test_as_much_is_cropped_at_another_size() -> None:
    row = varied("vgg16", MODELS["vgg16"], Variant(64))
    assert (row.preprocessing.size, row.preprocessing.resize_to) == (64, 73)  # of 224 and 256
    assert row.preprocessing.scaling == "caffe"


def test_the_dense_top_of_vgg_does_not_count_where_it_is_left_out() -> None:
    # As keras.applications.VGG16(include_top=False) says.
    row = varied("vgg16", MODELS["vgg16"], Variant(64, "flatten"))
    assert row.parameters == 14_714_688
    assert varied("vgg16", MODELS["vgg16"], Variant(features="fc2")).parameters == 138_357_544


def test_features_by_name() -> None:
    row = MODELS["vgg16"]
    flat = varied("vgg16", row, Variant(64, "flatten"))
    assert (flat.features_layer, flat.flat_features, flat.cam_layer) == (
        *("block5_pool", True, "block5_conv3"),
    )
    dense = varied("vgg16", row, Variant(features="fc2"))
    assert (dense.features_layer, dense.flat_features, dense.cam_layer) == (
        *("fc2", False, "block5_conv3"),
    )
    inner = varied("vgg16", row, Variant(features="block4_pool"))
    assert (inner.features_layer, inner.cam_layer) == ("block4_pool", LAST_ACTIVATION)
    map_ = varied("vgg16", row, Variant(features="block5_conv3"))
    assert (map_.features_layer, map_.cam_layer) == ("", "block5_conv3")
    # The features of ConvNeXt come behind its pooling, all places of the last map before it.
    convnext = varied("convnext-tiny", MODELS["convnext-tiny"], Variant(features="flatten"))
    assert (convnext.features_layer, convnext.cam_layer) == ("", "")


def test_a_layer_that_fits_one_size_only() -> None:
    with pytest.raises(UsageError) as raised:
        varied("vgg16", MODELS["vgg16"], Variant(64, "fc2"))
    assert str(raised.value) == (
        "vgg16: fc2 fits images of 224 pixels only; leave out `size`, or take other `features`"
    )


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"size": 1025}, {"size": True}, {"features": "a b"}]
)
def test_refused(wrong: dict[str, int | str]) -> None:
    with pytest.raises(UsageError):
        Variant(**wrong)  # type: ignore[arg-type]


def test_what_is_left_open_stays() -> None:
    assert Variant(64).over(Variant(32, "flatten")) == Variant(64, "flatten")
    assert Variant(None, "avg").over(Variant(32, "flatten")) == Variant(32, "avg")


def test_a_described_network_loses_what_follows_its_features() -> None:
    row = varied("m", spec(MEAN), Variant(16))
    assert kinds(row) == ["input", "conv2d", "global_average_pooling2d"]
    assert row.described is not None
    assert (row.described.input_shape, row.preprocessing.size) == ((16, 16, 3), 16)
    flat = varied("m", spec(MEAN), Variant(features="flatten"))
    assert kinds(flat) == ["input", "conv2d", "flatten"]
    # All places of what heatmaps look at, so their gradients are the head's own.
    assert (flat.features_layer, flat.flat_features) == ("", True)
    mean = varied("m", spec(POOL, FLAT), Variant(12, "avg"))
    assert kinds(mean) == ["input", "conv2d", "max_pooling2d", "global_average_pooling2d"]
    inner = varied("m", spec(POOL, FLAT), Variant(features="conv"))
    assert kinds(inner) == ["input", "conv2d", "global_average_pooling2d"]


def test_a_described_network_that_cannot_be_so() -> None:
    dense = Layer("hidden", "dense", ("flat",), {"units": 3})
    with pytest.raises(UsageError) as raised:
        varied("m", spec(POOL, FLAT, dense), Variant(16))
    assert str(raised.value) == (
        "m: layer hidden fits images of 8 pixels only; take another `size`, or `features` that "
        "come before it"
    )
    with pytest.raises(UsageError, match="m: cannot take images of 2 pixels: layer conv: "):
        varied("m", spec(MEAN), Variant(2))
    with pytest.raises(UsageError, match=r"m: nothere: no such layer; imgcls models info"):
        varied("m", spec(MEAN), Variant(features="nothere"))

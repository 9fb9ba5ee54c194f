"""Rows of the model table: names of files and layers, and the row of a described network."""

from __future__ import annotations

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.models.spec import PublishedWeights, described_spec, features_described
from imgcls.core.pixels.preprocessing import Preprocessing

IMAGE = Layer("image", "input", (), {"height": 8, "width": 8, "channels": 3})
CONV = Layer("conv", "conv2d", ("image",), {"filters": 4, "kernel_size": (3, 3)})
POOL = Layer("pool", "global_average_pooling2d", ("conv",))
DENSE = Layer("dense", "dense", ("pool",), {"units": 2})
SIZE = Preprocessing(8, 8, "none")


def network(*layers: Layer) -> NetworkDescription:
    return NetworkDescription((IMAGE, CONV, *layers))


def test_the_file_of_published_weights() -> None:
    weights = PublishedWeights("https://example.org/a/b.h5", "", 1)
    assert weights.file_name == "b.h5"
    assert weights._replace(saved_as="c.h5").file_name == "c.h5"


def test_features_that_are_the_mean_of_what_heatmaps_look_at_have_no_layer_of_their_own() -> None:
    spec = described_spec(network(POOL), SIZE, has_head=True)
    assert (spec.cam_layer, spec.features_layer) == ("conv", "")
    assert spec.parameters == 3 * 3 * 3 * 4 + 4
    assert not spec.linear_head


def test_features_that_are_all_places_of_it_have_none_either() -> None:
    spec = described_spec(network(Layer("flat", "flatten", ("conv",))), SIZE, has_head=True)
    assert (spec.cam_layer, spec.features_layer, spec.flat_features) == ("conv", "", True)


def test_other_features_are_named() -> None:
    down = Layer("down", "max_pooling2d", ("conv",), {"pool_size": (2, 2)})
    flat = Layer("flat", "flatten", ("down",))
    spec = described_spec(network(down, flat), SIZE, has_head=True)
    assert (spec.cam_layer, spec.features_layer, spec.flat_features) == ("conv", "flat", False)
    # A whole classifier: what its last layer with parameters reads.
    assert described_spec(network(POOL, DENSE), SIZE, has_head=False).features_layer == "pool"


def test_the_layers_up_to_the_features() -> None:
    spec = described_spec(network(POOL, DENSE), SIZE, has_head=False)
    assert spec.described is not None
    features = features_described(spec)
    assert features is not None
    assert [layer.name for layer in features.layers] == ["image", "conv", "pool"]
    assert features_described(spec._replace(described=None)) is None


def test_the_layer_of_heatmaps_has_a_name_for_users() -> None:
    spec = described_spec(network(POOL), SIZE, has_head=True)
    assert spec.default_layer == "conv"
    assert spec._replace(cam_layer="").default_layer == "last-activation"

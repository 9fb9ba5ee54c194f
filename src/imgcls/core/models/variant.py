"""A network used otherwise than its row says: at another input size, for other features."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcls.core.errors import UsageError
from imgcls.core.models.spec import LAST_ACTIVATION, ModelSpec, described_spec

if TYPE_CHECKING:
    from imgcls.core.models.network_description import NetworkDescription

MEAN = "avg"
ALL_PLACES = "flatten"
# More pixels would let a model file ask for more memory than a network of the table needs.
MOST_PIXELS = 1024
_LAYER = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"


@dataclass(frozen=True)
class Variant:
    """What is wanted of a network otherwise than its row says.

    Attributes:
        size: height and width of its input, in pixels; None for its own.
        features: `MEAN` of the last feature map over height and width, `ALL_PLACES` of it, or
            the name of a layer, averaged over height and width where it has them; "" for those
            that its row names.

    Raises:
        UsageError: the size is out of range, or the name is none that a layer has.
    """

    size: int | None = None
    features: str = ""

    def __post_init__(self) -> None:
        if self.size is not None and (
            type(self.size) is not int or not 1 <= self.size <= MOST_PIXELS
        ):
            raise UsageError(f"`size` must be 1 to {MOST_PIXELS} pixels; it is {self.size}")
        if self.features and not re.fullmatch(_LAYER, self.features):
            raise UsageError(
                f"`features` is {MEAN}, {ALL_PLACES} or the name of a layer, not {self.features!a}"
            )

    def over(self, other: Variant) -> Variant:
        """Return this variant with what it leaves open as another has it."""
        return Variant(self.size or other.size, self.features or other.features)


AS_IT_IS = Variant()


def varied(name: str, spec: ModelSpec, variant: Variant) -> ModelSpec:
    """Return the row of a network that gives the features that a variant asks for.

    The network ends in them; it is the row itself where that has all that is asked for.

    Args:
        name: what messages call the network.
        spec: its row, in the table or of a model file.
        variant: what is wanted.

    Raises:
        UsageError: the network cannot be built so.
    """
    size = variant.size or spec.preprocessing.size
    own = ALL_PLACES if spec.flat_features else MEAN
    features = variant.features or own
    if size == spec.preprocessing.size and features == own and spec.described is None:
        return spec
    _check_fits(name, spec, size, features)
    if spec.described is not None:
        return _varied_description(name, spec, size, variant.features)
    layer, cam_layer = features, LAST_ACTIVATION
    if features in (MEAN, ALL_PLACES):
        behind_pooling = features == ALL_PLACES and spec.features_pooled
        layer, cam_layer = "" if behind_pooling else spec.features_layer, spec.cam_layer
    elif features in (spec.default_layer, *spec.top_layers):
        layer, cam_layer = "" if features == spec.default_layer else features, spec.cam_layer
    top = 0 if features in spec.top_layers else spec.top_parameters
    return spec._replace(
        parameters=spec.parameters - top,
        preprocessing=spec.preprocessing.for_size(size),
        cam_layer=cam_layer,
        features_layer=layer,
        flat_features=features == ALL_PLACES,
        ends_in_features=True,
    )


def _check_fits(name: str, spec: ModelSpec, size: int, features: str) -> None:
    least, own = spec.least_size, spec.preprocessing.size
    if size < least:
        raise UsageError(
            f"{name}: takes images of {least}×{least} pixels or more, not {size}×{size}; give a "
            "larger `size`"
        )
    if features in spec.top_layers and size != own:
        raise UsageError(
            f"{name}: {features} fits images of {own} pixels only; leave out `size`, or take "
            "other `features`"
        )


def _varied_description(name: str, spec: ModelSpec, size: int, features: str) -> ModelSpec:
    """Return the row of a described network; only what leads to the features is kept."""
    assert spec.described is not None
    whole = spec.described
    layer = features
    if features in ("", MEAN, ALL_PLACES):
        layer = spec.features_layer or whole.layers[-1].name
        if features:
            layer = whole.up_to(layer).last_map
    elif features not in whole.shapes:
        raise UsageError(f"{name}: {features}: no such layer; imgcls models info lists them")
    part = whole.features(layer, flat=features == ALL_PLACES)
    if size != spec.preprocessing.size:
        part = _resized(name, part, size)
    return described_spec(part, spec.preprocessing.for_size(size), has_head=True)


def _resized(name: str, part: NetworkDescription, size: int) -> NetworkDescription:
    remedy = "take another `size`, or `features` that come before it"
    try:
        resized = part.for_size(size)
    except ValueError as error:
        raise UsageError(
            f"{name}: cannot take images of {size} pixels: {error}; {remedy}"
        ) from None
    for layer, shapes in resized.parameters.items():
        if shapes != part.parameters[layer]:
            raise UsageError(
                f"{name}: layer {layer} fits images of {part.input_shape[0]} pixels only; {remedy}"
            )
    return resized

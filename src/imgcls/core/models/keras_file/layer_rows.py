"""How each class of Keras becomes a layer of a described network: one row a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Config = Mapping[str, Any]
Arguments = dict[str, Any]

# Layers that change nothing once a network is trained. RandomCrop is none of them: it then crops
# the middle.
DROPPED = frozenset(
    (
        *("Dropout", "SpatialDropout2D", "GaussianDropout", "AlphaDropout", "GaussianNoise"),
        *(
            "ActivityRegularization",
            "Identity",
            "StochasticDepth",
            "CutMix",
            "MixUp",
            "RandAugment",
        ),
        *("AugMix", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter"),
        *("RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip"),
        *("RandomGaussianBlur", "RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert"),
        *("RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation"),
        *("RandomSharpness", "RandomShear", "RandomTranslation", "RandomWidth", "RandomZoom"),
    )
)


@dataclass(frozen=True)
class Row:
    """What a class of Keras is called here.

    Attributes:
        kind: a row of `LAYER_KINDS`.
        arguments: ours, of Keras' configuration; raises ValueError for one that is not taken.
    """

    kind: str
    arguments: Callable[[Config], Arguments] = lambda config: {}


def number(value: Any) -> Any:
    """Return a number, or nested lists of them, that Keras may have wrapped."""
    if isinstance(value, dict):
        inner = value.get("config", value)
        return number(inner["value"] if isinstance(inner, dict) else inner)
    if isinstance(value, list | tuple):
        return [number(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{str(value)[:30]} is no number")
    return value


def pair(value: Any) -> tuple[Any, ...]:
    """Return one number as two, and a list as a tuple."""
    return (value, value) if isinstance(value, int) else tuple(value)


def channels_last(config: Config) -> None:
    """Refuse a layer that has its channels in front."""
    if config.get("data_format") == "channels_first":
        raise ValueError("it has its channels in front; build the network with channels_last")


def _edges(value: Any) -> tuple[tuple[int, int], ...]:
    down, across = pair(value)
    return pair(down), pair(across)


def _windowed(config: Config) -> Arguments:
    channels_last(config)
    return {"strides": pair(config.get("strides", 1)), "padding": config.get("padding", "valid")}


def _convolution(*names: str) -> Callable[[Config], Arguments]:
    def arguments(config: Config) -> Arguments:
        return {
            **_windowed(config),
            "kernel_size": pair(config["kernel_size"]),
            "dilation_rate": pair(config.get("dilation_rate", 1)),
            "use_bias": config.get("use_bias", True),
            **{name: config.get(name, 1) for name in names},
        }

    return arguments


def _pooling(config: Config) -> Arguments:
    pool = pair(config.get("pool_size", 2))
    strides = config.get("strides")
    return {
        **_windowed({**config, "strides": pool if strides is None else strides}),
        "pool_size": pool,
    }


def _global_pooling(config: Config) -> Arguments:
    channels_last(config)
    return {"keepdims": bool(config.get("keepdims", False))}


def _normalization(config: Config) -> Arguments:
    if config.get("rms_scaling"):
        raise ValueError("it scales by the root mean square")
    return {
        "epsilon": number(config.get("epsilon", 1e-3)),
        "center": config.get("center", True),
        "scale": config.get("scale", True),
    }


def _relu(config: Config) -> Arguments:
    limit = config.get("max_value")
    return {
        "max_value": None if limit is None else number(limit),
        "negative_slope": number(config.get("negative_slope") or 0.0),
        "threshold": number(config.get("threshold") or 0.0),
    }


def _leaky_relu(config: Config) -> Arguments:
    return {"negative_slope": number(config.get("negative_slope", config.get("alpha", 0.3)))}


def _up_sampling(config: Config) -> Arguments:
    channels_last(config)
    return {
        "size": pair(config.get("size", 2)),
        "interpolation": config.get("interpolation", "nearest"),
    }


def _resizing(config: Config) -> Arguments:
    channels_last(config)
    if any(
        config.get(name) for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias")
    ):
        raise ValueError("it crops or pads what it resizes")
    return {
        "height": config["height"],
        "width": config["width"],
        "interpolation": config.get("interpolation", "bilinear"),
    }


def _softmax(config: Config) -> Arguments:
    if config.get("axis", -1) not in (-1, [-1]):
        raise ValueError("its softmax is not over the classes")
    return {"activation": "softmax"}


def _padding(config: Config) -> Arguments:
    channels_last(config)
    return {"padding": _edges(config.get("padding", 1))}


def _cropping(config: Config) -> Arguments:
    channels_last(config)
    return {"cropping": _edges(config.get("cropping", 0))}


_CONV2D = Row("conv2d", _convolution("filters", "groups"))
_SEPARABLE = Row("separable_conv2d", _convolution("filters", "depth_multiplier"))
_BATCH_NORM = Row("batch_normalization", _normalization)

ROWS: Mapping[str, Row] = {
    "Conv2D": _CONV2D,
    "Convolution2D": _CONV2D,
    "DepthwiseConv2D": Row("depthwise_conv2d", _convolution("depth_multiplier")),
    "SeparableConv2D": _SEPARABLE,
    "SeparableConvolution2D": _SEPARABLE,
    "Dense": Row(
        "dense",
        lambda config: {"units": config["units"], "use_bias": config.get("use_bias", True)},
    ),
    "BatchNormalization": _BATCH_NORM,
    "BatchNormalizationV1": _BATCH_NORM,
    "BatchNormalizationV2": _BATCH_NORM,
    "LayerNormalization": Row("layer_normalization", _normalization),
    "GroupNormalization": Row(
        "group_normalization", lambda config: {**_normalization(config), "groups": config["groups"]}
    ),
    "UnitNormalization": Row("unit_normalization"),
    "Normalization": Row("normalization"),
    "LayerScale": Row("channel_scale"),
    "Rescaling": Row(
        "rescaling",
        lambda config: {
            "scale": number(config["scale"]),
            "offset": number(config.get("offset", 0.0)),
        },
    ),
    "ReLU": Row("relu", _relu),
    "LeakyReLU": Row("leaky_relu", _leaky_relu),
    "ELU": Row("elu", lambda config: {"alpha": number(config.get("alpha", 1.0))}),
    "PReLU": Row("prelu", lambda config: {"shared_axes": tuple(config.get("shared_axes") or ())}),
    "Softmax": Row("activation", _softmax),
    "MaxPooling2D": Row("max_pooling2d", _pooling),
    "AveragePooling2D": Row("average_pooling2d", _pooling),
    "GlobalMaxPooling2D": Row("global_max_pooling2d", _global_pooling),
    "GlobalAveragePooling2D": Row("global_average_pooling2d", _global_pooling),
    "ZeroPadding2D": Row("zero_padding2d", _padding),
    "Cropping2D": Row("cropping2d", _cropping),
    "UpSampling2D": Row("up_sampling2d", _up_sampling),
    "Resizing": Row("resizing", _resizing),
    "Flatten": Row("flatten"),
    "Permute": Row("permute", lambda config: {"dims": tuple(config["dims"])}),
    "Add": Row("add"),
    "Subtract": Row("subtract"),
    "Multiply": Row("multiply"),
    "Average": Row("average"),
    "Maximum": Row("maximum"),
    "Minimum": Row("minimum"),
    "Concatenate": Row("concatenate", lambda config: {"axis": config.get("axis", -1)}),
}

# What Keras calls the functions that have another name here.
_RENAMED = {
    "swish": "silu",
    "hard_swish": "hard_silu",
    "log_softmax_v2": "log_softmax",
    "softmax_v2": "softmax",
}


def activation_of(value: Any) -> str | tuple[str, Config]:
    """Return the name of an activation, or the class and configuration of a layer that it is."""
    if value is None:
        return "linear"
    if isinstance(value, dict):
        config = value.get("config")
        if isinstance(config, dict):
            return str(value["class_name"]), config
        value = config if value.get("class_name") == "function" else value.get("class_name")
    if not isinstance(value, str):
        raise ValueError("its activation is code of its author")
    return _RENAMED.get(value, value)

"""From an upright image to what a network expects: one `Preprocessing` per model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image

from imgcls.core.arrays import Float32Array

if TYPE_CHECKING:
    from collections.abc import Mapping

Uint8Image = npt.NDArray[np.uint8]

Resize = Literal["crop", "squash", "pad"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Scaling = Literal["none", "unit", "tf", "caffe", "torch", "lite"]

RESIZES: tuple[Resize, ...] = get_args(Resize)
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)

RESAMPLING: Mapping[Interpolation, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

# ImageNet's channel means and deviations, RGB; the BGR means are those of the Caffe networks.
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)
_CAFFE_MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)


class PixelScaling(NamedTuple):
    """How 0..255 becomes what a network was trained on.

    Attributes:
        words: for people.
        scale: uint8 (…, 3) RGB → float32 (…, 3), a new array.
        mean: what is subtracted from 0..255, one a channel.
        std: what the rest is divided by, one a channel.
        bgr: whether the channels of the result, of `mean` and of `std` are blue, green, red.

    `scale` is (pixels − mean) / std, rounded as the network's own library does.
    """

    words: str
    scale: Callable[[Uint8Image], Float32Array]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bgr: bool = False


# Each of these makes one new array and goes on in it: one of this size takes time to come by.
def _tf(pixels: Uint8Image) -> Float32Array:
    batch = pixels.astype(np.float32)
    batch /= 127.5
    batch -= 1.0
    return batch


def _torch(pixels: Uint8Image) -> Float32Array:
    batch = pixels.astype(np.float32)
    batch /= 255.0
    batch -= IMAGENET_MEAN
    batch /= IMAGENET_STD
    return batch


def _lite(pixels: Uint8Image) -> Float32Array:
    batch = np.subtract(pixels, np.float32(127.0), dtype=np.float32)
    batch /= 128.0
    return batch


def _three(values: npt.ArrayLike) -> tuple[float, float, float]:
    red, green, blue = np.broadcast_to(np.asarray(values, np.float64), 3).tolist()
    return red, green, blue


# "none", "tf", "caffe" and "torch" are named as in
# keras.applications.imagenet_utils.preprocess_input; "lite" is EfficientNet-Lite's own.
SCALINGS: Mapping[Scaling, PixelScaling] = {
    "none": PixelScaling(
        "RGB, 0 to 255 (the network scales)", lambda pixels: pixels.astype(np.float32)
    ),
    "unit": PixelScaling(
        "RGB, x / 255",
        lambda pixels: np.divide(pixels, np.float32(255.0), dtype=np.float32),
        std=_three(255.0),
    ),
    "tf": PixelScaling("RGB, x / 127.5 − 1", _tf, _three(127.5), _three(127.5)),
    "caffe": PixelScaling(
        "BGR, minus the ImageNet mean",
        lambda pixels: np.subtract(pixels[..., ::-1], _CAFFE_MEAN_BGR, dtype=np.float32),
        _three(_CAFFE_MEAN_BGR),
        bgr=True,
    ),
    "torch": PixelScaling(
        "RGB, x / 255, minus the ImageNet mean, over its deviation",
        _torch,
        _three(255 * IMAGENET_MEAN),
        _three(255 * IMAGENET_STD),
    ),
    "lite": PixelScaling("RGB, (x − 127) / 128", _lite, _three(127.0), _three(128.0)),
}

# A JPEG is decoded at no less than this many times the size that it is resized to. At 1 the
# coarser grid shifts scores by up to 3 points, at 2 by none that matter; a 12-megapixel photo
# still decodes at a quarter of its size.
_REDUCTION_MARGIN = 2

# The middle grey that `pad` lays around an image, close to zero in every scaling.
PAD_COLOR = (128, 128, 128)


class Box(NamedTuple):
    """A rectangle in pixels of the upright image; edges may lie between pixels."""

    left: float
    top: float
    right: float
    bottom: float


class Preprocessing(NamedTuple):
    """How an image becomes a network's input.

    Attributes:
        size: height and width of the network's input, in pixels.
        resize_to: what the shorter side is resized to before the centre crop of `size`.
        resize: "crop" (shorter side to `resize_to`, centre crop), "squash" (the whole image,
            its shape not kept) or "pad" (the whole image, grey bars).
        interpolation: the resampling filter.
        scaling: what is done to 0..255.
    """

    size: int
    resize_to: int
    scaling: Scaling
    interpolation: Interpolation = "bilinear"
    resize: Resize = "crop"

    def for_size(self, size: int) -> Preprocessing:
        """Return the same for an input of another height and width: as much is cropped."""
        return self._replace(size=size, resize_to=round(size * self.resize_to / self.size))

    def seen_box(self, width: int, height: int) -> Box:
        """Return the part of a width×height image that the network sees."""
        if self.resize != "crop":
            return Box(0, 0, width, height)
        side = min(width, height) * min(1.0, self.size / self.resize_to)
        left, top = (width - side) / 2, (height - side) / 2
        return Box(left, top, left + side, top + side)

    def canvas_box(self, width: int, height: int) -> Box:
        """Return where the network's whole input lies in a width×height image.

        The same as `seen_box`, but for "pad", whose bars lie beyond the image's edges.
        """
        if self.resize != "pad":
            return self.seen_box(width, height)
        left, top, inner_width, inner_height = self._padded(width, height)
        across, down = width / inner_width, height / inner_height  # original pixels a pixel
        right, bottom = (self.size - left) * across, (self.size - top) * down
        return Box(-left * across, -top * down, right, bottom)

    def least_size(self, width: int, height: int) -> tuple[int, int] | None:
        """Return the least (width, height) that a decoder may reduce the image to.

        None where every pixel counts: nearest-neighbour picks single pixels, and a reduced
        image would give it others.
        """
        if self.interpolation == "nearest":
            return None
        if self.resize == "squash":
            return _REDUCTION_MARGIN * self.size, _REDUCTION_MARGIN * self.size
        if self.resize == "crop":
            scale = _REDUCTION_MARGIN * max(self.size, self.resize_to) / min(width, height)
        else:
            scale = _REDUCTION_MARGIN * self.size / max(width, height)
        return math.ceil(width * scale), math.ceil(height * scale)

    def fit(self, image: Image.Image) -> Uint8Image:
        """Crop and resize an upright RGB image; return uint8 (size, size, 3)."""
        filter_ = RESAMPLING[self.interpolation]
        side = (self.size, self.size)
        if self.resize == "pad":
            return np.asarray(self._pad(image, filter_))
        box = self.seen_box(*image.size)
        return np.asarray(
            image.resize(side, filter_, box=(box.left, box.top, box.right, box.bottom))
        )

    def view(self, image: Image.Image, side: int) -> Uint8Image:
        """Return the part of an upright RGB image that the network sees, for people to look at.

        It is undistorted and has at most side×side pixels, fewer where the image has no more:
        uint8 (height, width, 3).
        """
        box = self.seen_box(*image.size)
        width, height = box.right - box.left, box.bottom - box.top
        scale = min(1.0, side / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        within = (box.left, box.top, box.right, box.bottom)
        return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=within))

    def _pad(self, image: Image.Image, filter_: Image.Resampling) -> Image.Image:
        left, top, width, height = self._padded(*image.size)
        canvas = Image.new("RGB", (self.size, self.size), PAD_COLOR)
        canvas.paste(image.resize((width, height), filter_), (left, top))
        return canvas

    def _padded(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, width and height of a padded image in the network's input."""
        scale = self.size / max(width, height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        return (self.size - width) // 2, (self.size - height) // 2, width, height

    def scale(self, pixels: Uint8Image) -> Float32Array:
        """Scale uint8 pixels (…, h, w, 3) to the float32 that the network was trained on."""
        return SCALINGS[self.scaling].scale(pixels)

    def in_words(self) -> str:
        """Say it in a line for people."""
        how = {
            "crop": f"shorter side to {self.resize_to}, centre crop {self.size}×{self.size}",
            "squash": f"squashed to {self.size}×{self.size}",
            "pad": f"padded to {self.size}×{self.size}",
        }[self.resize]
        return f"{how}, {self.interpolation}; {SCALINGS[self.scaling].words}"

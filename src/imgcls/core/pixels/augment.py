"""Random changes of an image that leave what it shows as it is: a row per strength."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance

from imgcls.core.pixels.preprocessing import PAD_COLOR, Uint8Image


@dataclass(frozen=True)
class Augmentation:
    """How far an image may be changed; each change is drawn evenly from 0 to there, both ways.

    Attributes:
        flip: whether half of the images are mirrored, left to right.
        rotation: in degrees.
        shift: parts of the side.
        shear: in degrees.
        zoom: 0.1 is 0.9 to 1.1 times the size.
        colour: 0.1 is 0.9 to 1.1 times the brightness, contrast and saturation.
    """

    flip: bool = True
    rotation: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    colour: float = 0.0


# What `--augment` chooses from; "none" leaves images as they are.
AUGMENTATIONS: Mapping[str, Augmentation | None] = {
    "none": None,
    "light": Augmentation(rotation=10, shift=0.05, zoom=0.1),
    "full": Augmentation(rotation=20, shift=0.1, shear=10, zoom=0.2, colour=0.2),
}


def augment(
    pixels: Uint8Image, augmentation: Augmentation, random: np.random.Generator
) -> Uint8Image:
    """Change an image at random.

    All movements are one resampling; what comes in from outside is middle grey.

    Args:
        pixels: uint8 (h, w, 3) RGB; not written into.
        augmentation: how far.
        random: drawn from the same number of times whatever the augmentation is.

    Returns:
        uint8 (h, w, 3).
    """
    flipped = random.random() < 0.5
    turn, shear_x, shear_y, zoom, shift_x, shift_y, *colours = random.uniform(-1, 1, 9).tolist()
    image = Image.fromarray(pixels)
    if augmentation.flip and flipped:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if augmentation.rotation or augmentation.shift or augmentation.shear or augmentation.zoom:
        angle = math.radians(turn * augmentation.rotation)
        rotation = np.array(
            [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        )
        slope = math.tan(math.radians(augmentation.shear))
        shear = np.array([[1, shear_x * slope], [shear_y * slope, 1]])
        matrix = rotation @ shear / (1 + zoom * augmentation.zoom)
        move = np.array([shift_x, shift_y]) * augmentation.shift * image.size
        image = _move(image, matrix, move)
    if augmentation.colour:
        enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
        for enhancer, amount in zip(enhancers, colours, strict=True):
            image = enhancer(image).enhance(1 + amount * augmentation.colour)
    return np.asarray(image)


def _move(image: Image.Image, matrix: np.ndarray, move: np.ndarray) -> Image.Image:
    """Take each pixel p from matrix · (p − centre) + centre + move."""
    centre = np.array(image.size) / 2
    (a, b), (c, d) = matrix.tolist()
    x, y = (centre + move - matrix @ centre).tolist()
    return image.transform(
        image.size,
        Image.Transform.AFFINE,
        (a, b, x, c, d, y),
        Image.Resampling.BILINEAR,
        fillcolor=PAD_COLOR,
    )

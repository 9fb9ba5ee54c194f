"""Random changes of an image that leave what it shows as it is: by strength, or one by one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance

from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import Uint8Image

_NUMBER = re.compile(r"\d*\.?\d+")


# The change that is made or not, and those that go so far at most.
_FLIP = "flip"
_MOST = {"rotation": 180.0, "shift": 1.0, "shear": 60.0, "zoom": 0.9, "colour": 1.0}


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

    Raises:
        UsageError: a change goes too far to leave anything to see.
    """

    flip: bool = True
    rotation: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    colour: float = 0.0

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            if not 0 <= (value := getattr(self, name)) <= most:
                raise UsageError(f"`augment` {name} must be 0 to {most:g}; it is {value:g}")


# What `--augment` chooses from; "none" leaves images as they are.
AUGMENTATIONS: Mapping[str, Augmentation | None] = {
    "none": None,
    "light": Augmentation(rotation=10, shift=0.05, zoom=0.1),
    "full": Augmentation(rotation=20, shift=0.1, shear=10, zoom=0.2, colour=0.2),
}


def read_augmentation(text: str) -> Augmentation | None:
    """Return the augmentation that a text names, or spells out: "rotation=40,zoom=0.2,flip".

    Raises:
        UsageError: it does neither.
    """
    if text in AUGMENTATIONS:
        return AUGMENTATIONS[text]
    changes: dict[str, float] = {}
    for part in text.split(","):
        name, equals, amount = (piece.strip() for piece in part.partition("="))
        if name in changes:
            raise UsageError(f"`augment` {text}: {name} stands there twice")
        if name == _FLIP and not equals:
            changes[name] = True
        elif name in _MOST and equals and _NUMBER.fullmatch(amount):
            changes[name] = float(amount)
        else:
            known = ", ".join(f"{name}=N" for name in _MOST)
            raise UsageError(
                f"`augment` {text}: {part.strip() or 'nothing'} is no change; it is "
                f"{', '.join(AUGMENTATIONS)}, or some of {known} and {_FLIP} with commas between"
            )
    return Augmentation(flip=bool(changes.pop(_FLIP, False)), **changes)


def augment(
    pixels: Uint8Image, augmentation: Augmentation, random: np.random.Generator
) -> Uint8Image:
    """Change an image at random.

    All movements are one resampling; what comes in from outside is the nearest pixel, as in
    Keras' tutorials.

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
    """Take each pixel p from matrix · (p − centre) + centre + move; outside, the nearest one."""
    size = np.array(image.size)
    centre = size / 2
    offset = centre + move - matrix @ centre
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * size @ matrix.T + offset  # (4, 2)
    before = np.ceil(np.maximum(1 - corners.min(axis=0), 0)).astype(int)
    after = np.ceil(np.maximum(corners.max(axis=0) + 1 - size, 0)).astype(int)
    (left, top), (right, bottom) = before.tolist(), after.tolist()
    widened = np.pad(np.asarray(image), ((top, bottom), (left, right), (0, 0)), mode="edge")
    (a, b), (c, d) = matrix.tolist()
    x, y = (offset + before).tolist()
    return Image.fromarray(widened).transform(
        image.size, Image.Transform.AFFINE, (a, b, x, c, d, y), Image.Resampling.BILINEAR
    )

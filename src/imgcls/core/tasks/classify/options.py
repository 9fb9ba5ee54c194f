"""What a user may choose about the classification of images."""

from __future__ import annotations

from dataclasses import dataclass

from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import Interpolation, Resize


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """How images are classified.

    Attributes:
        top: how many classes to return for each image; 0 is every class.
        min_confidence: an image whose best score is below this, 0 to 1, is "unknown".
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.
        pixels: whether records carry what the network saw.

    Raises:
        UsageError: a number is out of range.
    """

    top: int = 5
    min_confidence: float = 0.0
    resize: Resize | None = None
    interpolation: Interpolation | None = None
    workers: int | None = None
    pixels: bool = False

    def __post_init__(self) -> None:
        if self.top < 0:
            raise UsageError("`top` is 0, for every class, or more")
        if not 0 <= self.min_confidence <= 1:
            raise UsageError("`min_confidence` is a score, 0 to 1")
        if self.workers is not None and self.workers < 1:
            raise UsageError("`workers` is 1 or more")

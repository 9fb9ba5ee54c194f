"""What is asked about an image, and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import Box, Interpolation, Resize, Uint8Image
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.faithfulness import Faithfulness
from imgcls.core.tasks.heatmap.methods import CAM_METHODS, DEFAULT_METHOD


@dataclass(frozen=True, slots=True)
class Explanation:
    """What spoke for a class in one image.

    Attributes:
        path: the input's name, as given.
        model: the model's name.
        method: a name from `CAM_METHODS`.
        layer: whose activations were looked at; "input" for methods that look at pixels.
        prediction: the class that was asked about, and its rank and score.
        versus: the class that it was held against; None without.
        image: uint8 (height, width, 3), the upright original.
        cam: float32 (height, width), 0 to 1; 0 where the model did not look.
        seen: the part of the image that the model saw.
        faithfulness: if it was asked for and there is evidence.
        error: None.
    """

    path: str
    model: str
    method: str
    layer: str
    prediction: Prediction
    versus: Prediction | None
    image: Uint8Image
    cam: Float32Array
    seen: Box
    faithfulness: Faithfulness | None = None
    error: None = None

    @property
    def has_evidence(self) -> bool:
        """Whether anything spoke for the class."""
        return bool(self.cam.any())


@dataclass(frozen=True, slots=True)
class Unexplained:
    """An input that could not be read.

    Attributes:
        path: the input's name, as given.
        error: why.
    """

    path: str
    error: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every image.

    Attributes:
        method: a name from `CAM_METHODS`.
        class_name: label, id or number of the class to explain; default: the image's own best.
        rank: explain the class that takes this place in the image's scores, 1 for the best.
        versus: a class to hold it against: what speaks for the one and not for the other.
        layer: whose activations to look at; default: the last that have height and width.
        faithfulness: whether to measure how well the map tells which pixels matter.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
    """

    method: str = DEFAULT_METHOD
    class_name: str | int | None = None
    rank: int | None = None
    versus: str | int | None = None
    layer: str | None = None
    faithfulness: bool = False
    resize: Resize | None = None
    interpolation: Interpolation | None = None

    def __post_init__(self) -> None:
        if self.method not in CAM_METHODS:
            raise UsageError(
                f"{self.method}: no such method; choose one of {', '.join(CAM_METHODS)}"
            )
        method = CAM_METHODS[self.method]
        if self.class_name is not None and self.rank is not None:
            raise UsageError("a class and a rank both say what to explain; give one of them")
        if self.rank is not None and self.rank < 1:
            raise UsageError(f"rank {self.rank}: the best class has rank 1")
        if self.versus is not None and not method.knows_class:
            raise UsageError(f"{self.method} knows no classes; --versus goes with other methods")
        if self.layer is not None and not method.reads_layer:
            raise UsageError(f"{self.method} looks at pixels, not at a layer; leave --layer out")

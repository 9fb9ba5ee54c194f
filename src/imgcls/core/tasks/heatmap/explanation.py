"""Why a model decided as it did about one image."""

from __future__ import annotations

from dataclasses import dataclass

from imgcls.core.arrays import Float32Array
from imgcls.core.pixels.preprocessing import Box, Uint8Image
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.faithfulness import Faithfulness


@dataclass(frozen=True, slots=True)
class Explanation:
    """What spoke for a class in one image.

    Attributes:
        path: the input's name, as given.
        model: the model's name.
        method: a name from `CAM_METHODS`.
        layer: whose activations were looked at; "input" for methods that look at pixels.
        prediction: the class that was asked about, and its rank and score.
        class_index: its column in the scores.
        versus: the class that it was held against; None without.
        image: uint8 (height, width, 3), the upright original.
        cam: float32 (height, width), 0 to 1; 0 where the model did not look.
        seen: the part of the image that the model saw.
        faithfulness: if it was asked for and anything speaks for the class.
        error: None.
    """

    path: str
    model: str
    method: str
    layer: str
    prediction: Prediction
    class_index: int
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
    """An input that could not be explained.

    Attributes:
        path: the input's name, as given.
        error: why.
    """

    path: str
    error: str

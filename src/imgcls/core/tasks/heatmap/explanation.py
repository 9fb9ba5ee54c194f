"""Why a model decided as it did about one image."""

from __future__ import annotations

import os
from dataclasses import dataclass

from PIL import Image

from imgcls.core.arrays import Float32Array
from imgcls.core.errors import OutputError, UsageError
from imgcls.core.pixels.preprocessing import Box, Uint8Image
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.colors import DEFAULT_COLORMAP
from imgcls.core.tasks.heatmap.drawing import Alpha
from imgcls.core.tasks.heatmap.faithfulness import Faithfulness
from imgcls.core.tasks.heatmap.options import DrawOptions
from imgcls.core.tasks.heatmap.panel import draw
from imgcls.core.tasks.heatmap.picture_files import (
    FORMATS,
    is_map,
    not_ours,
    save_map,
    save_picture,
)


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

    def __repr__(self) -> str:
        """Return what was explained, and how."""
        asked = f"{self.prediction.label} {self.prediction.score:.2%}"
        return f"<Explanation {self.path}: {asked}, {self.method} at {self.layer}>"

    @property
    def has_evidence(self) -> bool:
        """Whether anything spoke for the class."""
        return bool(self.cam.any())

    def overlay(
        self, *, alpha: Alpha | None = None, colormap: str = DEFAULT_COLORMAP
    ) -> Image.Image:
        """Draw the map over the image, in the image's size.

        Args:
            alpha: how much of the colour lies over the image, 0 to 1, or "evidence": as much as
                the evidence at each place is strong. Default: 0.4, and "evidence" for methods
                that look at single pixels.
            colormap: a name of matplotlib's.

        Raises:
            UsageError: `alpha` is out of range, or there is no such colour map.

        Example:
            >>> import imgcls
            >>> (explanation,) = imgcls.explain("sample_images/cat.jpg")
            >>> explanation.overlay(alpha="evidence").size
            (451, 300)
        """
        return draw(self, DrawOptions(alpha, colormap))

    def panel(
        self,
        *,
        alpha: Alpha | None = None,
        colormap: str = DEFAULT_COLORMAP,
        dpi: int | None = None,
    ) -> Image.Image:
        """Draw image, heatmap and overlay side by side, with the label and its score above.

        Args:
            alpha: as for `overlay`; default: "evidence".
            colormap: a name of matplotlib's.
            dpi: dots an inch of a panel for print, 7 inches (18 cm) wide; default: one for the
                screen, 1080 to 1920 pixels wide.

        Raises:
            UsageError: `alpha` or `dpi` is out of range, or there is no such colour map.

        Example:
            >>> import imgcls
            >>> (explanation,) = imgcls.explain("sample_images/cat.jpg")
            >>> explanation.panel().width, explanation.panel(dpi=300).width
            (1353, 2100)
        """
        return draw(self, DrawOptions(alpha, colormap, panel=True, dpi=dpi))

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        panel: bool = False,
        alpha: Alpha | None = None,
        colormap: str = DEFAULT_COLORMAP,
        dpi: int | None = None,
    ) -> None:
        """Write the overlay, or the panel, as a picture; or the map itself as .npy.

        Args:
            path: the file; its ending says as what it is written: .png, .jpg, .jpeg, .webp, .tif,
                .tiff or .npy. An earlier heatmap is written over, another file is not.
            panel: whether the panel is written, not the overlay.
            alpha: as for `overlay` and `panel`.
            colormap: a name of matplotlib's.
            dpi: as for `panel`.

        Raises:
            UsageError: an option is out of range, or the ending is none of these.
            OutputError: it cannot be written, or the file is something else.

        Example:
            >>> import imgcls
            >>> (explanation,) = imgcls.explain("sample_images/cat.jpg")
            >>> explanation.save("why.png", panel=True)
            >>> explanation.save("why.npy")
        """
        how, name = DrawOptions(alpha, colormap, panel, dpi=dpi), os.fspath(path)
        ending = os.path.splitext(name)[1].lower()
        if ending == ".npy":
            if os.path.lexists(name) and not is_map(name):
                raise OutputError(f"{name}: exists and is not a map; name another output")
            save_map(self.cam, name)
        elif ending in FORMATS:
            if reason := not_ours(name):
                raise OutputError(f"{name}: {reason}")
            save_picture(draw(self, how), name)
        else:
            raise UsageError(
                f"{name}: a heatmap is written as {', '.join(FORMATS)} or .npy; name such a file"
            )

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows: image, heatmap and overlay side by side."""
        from imgcls.core.notebook import png

        return png(self.panel())


@dataclass(frozen=True, slots=True)
class Unexplained:
    """An input that could not be explained.

    Attributes:
        path: the input's name, as given.
        error: why.
    """

    path: str
    error: str

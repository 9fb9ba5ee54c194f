"""What a user may choose about heatmaps: what is explained, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.heatmap.colors import DEFAULT_COLORMAP, color_table
from imgcls.core.tasks.heatmap.drawing import EVIDENCE, Alpha
from imgcls.core.tasks.heatmap.methods import CAM_METHODS, DEFAULT_METHOD

# The least and the most dots an inch of a panel: a screen's, and a finer one than presses have.
DPI = (72, 1200)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """What is explained about every image.

    Attributes:
        method: a name from `CAM_METHODS`.
        class_name: label, id or number of the class to explain; default: the image's own best.
        rank: explain the class that takes this place in the image's scores, 1 for the best.
        versus: a class to hold it against: what speaks for the one and not for the other.
        layer: whose activations to look at; default: the last that have height and width.
        faithfulness: whether to measure how well the map tells which pixels matter.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.

    Raises:
        UsageError: there is no such method, or two options do not go together.
    """

    method: str = DEFAULT_METHOD
    class_name: str | int | None = None
    rank: int | None = None
    versus: str | int | None = None
    layer: str | None = None
    faithfulness: bool = False
    resize: Resize | None = None
    interpolation: Interpolation | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.method not in CAM_METHODS:
            raise UsageError(
                f"{self.method}: no such method; choose one of {', '.join(CAM_METHODS)}"
            )
        method = CAM_METHODS[self.method]
        if self.class_name is not None and self.rank is not None:
            raise UsageError("`class_name` and `rank` both say what to explain; leave one out")
        if self.rank is not None and self.rank < 1:
            raise UsageError(f"rank {self.rank}: the best class has rank 1")
        if self.versus is not None and not method.knows_class:
            raise UsageError(f"{self.method} knows no classes; leave out `versus`")
        if self.layer is not None and not method.reads_layer:
            raise UsageError(f"{self.method} looks at pixels, not at a layer; leave out `layer`")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"`workers` must be 1 or more; it is {self.workers}")


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """How a heatmap is drawn.

    Attributes:
        alpha: how much of the colour lies over the image, 0 to 1, or "evidence": as much as the
            evidence at each place is strong; default: 0.4, and "evidence" in a panel and for
            methods that look at single pixels.
        colormap: a name of matplotlib's.
        panel: image, heatmap and overlay side by side, not the overlay alone.
        dpi: dots an inch of a panel for print; default: a panel for the screen.
        raw: whether the map is written too, as .npy beside the picture.

    Raises:
        UsageError: a number is out of range, or there is no such colour map.
    """

    alpha: Alpha | None = None
    colormap: str = DEFAULT_COLORMAP
    panel: bool = False
    raw: bool = False
    dpi: int | None = None

    def __post_init__(self) -> None:
        alpha = self.alpha
        if not (
            alpha is None or alpha == EVIDENCE or (isinstance(alpha, Real) and 0 <= alpha <= 1)
        ):
            raise UsageError(f"`alpha` must be between 0 and 1, or {EVIDENCE}; it is {alpha}")
        if self.dpi is not None and not self.panel:
            raise UsageError("`dpi` is the size of a panel for print; it goes with `panel`")
        if self.dpi is not None and not DPI[0] <= self.dpi <= DPI[1]:
            raise UsageError(f"`dpi` must be between {DPI[0]} and {DPI[1]}; it is {self.dpi}")
        color_table(self.colormap)  # an unknown one is refused before any work

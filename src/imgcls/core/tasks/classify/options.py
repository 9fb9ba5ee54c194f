"""What a user may choose about classifying and sorting images."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.classify.placing import SortMode

MIN_FAMILIARITY = 0.01  # one in a hundred photos of the classes is less familiar


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """How images are classified.

    Attributes:
        top: how many classes to return for each image; 0 is every class.
        min_confidence: an image whose best score is below this, 0 to 1, is "unknown".
        min_familiarity: so is one whose familiarity is below this, 0 to 1; 0 is for none.
        resize: how the image is fitted to the network; default: the model's own way.
        interpolation: the resampling filter; default: the model's own.
        workers: how many images to work on at once; default: one a processor core.
        pixels: whether records carry what the network saw.
        view: how many pixels a side, at most, what they carry of it for people to look at has;
            None for nothing.

    Raises:
        UsageError: a number is out of range.
    """

    top: int = 5
    min_confidence: float = 0.0
    resize: Resize | None = None
    interpolation: Interpolation | None = None
    workers: int | None = None
    pixels: bool = False
    view: int | None = None
    min_familiarity: float = MIN_FAMILIARITY

    def __post_init__(self) -> None:
        if self.top < 0:
            raise UsageError(f"`top` must be 1 or more, or 0 for every class; it is {self.top}")
        for name in ("min_confidence", "min_familiarity"):
            least = getattr(self, name)
            if not 0 <= least <= 1:
                raise UsageError(f"`{name}` must be between 0 and 1; it is {least}")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"`workers` must be 1 or more; it is {self.workers}")


@dataclass(frozen=True, eq=False, repr=False)
class SortOptions:
    """Where images are sorted to, and how.

    Attributes:
        sort_into: the folder; None to sort nothing.
        sort_mode: how a file gets there; default: copy.
        dry_run: only say where each would go.

    Raises:
        UsageError: a mode or `dry_run` without a folder, or the folder is a file.
    """

    sort_into: str | None = None
    sort_mode: SortMode | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.sort_into is None:
            if self.sort_mode is not None or self.dry_run:
                raise UsageError("`sort_mode` and `dry_run` go with `sort_into`")
        elif os.path.lexists(self.sort_into) and not os.path.isdir(self.sort_into):
            raise UsageError(f"{self.sort_into}: is a file; name a folder to sort into")

    @property
    def moves(self) -> bool:
        """Whether images leave the place that they are read from."""
        return self.sort_mode == "move" and not self.dry_run

    def check_inputs(self, inputs: Iterable[str]) -> None:
        """Refuse to sort a folder into itself or into one below it.

        Raises:
            UsageError: the folder lies in one of the inputs.
        """
        if self.sort_into is None:
            return
        target = os.path.realpath(self.sort_into)
        for name in filter(os.path.isdir, inputs):
            source = os.path.realpath(name)
            if target == source or target.startswith(os.path.join(source, "")):
                raise UsageError(
                    f"{self.sort_into}: lies in {name}, which is to be sorted; name another"
                )

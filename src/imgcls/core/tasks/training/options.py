"""What the options of a training mean: its stages, and what may not go together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from imgcls.core.errors import UsageError
from imgcls.core.models.backbones import SCRATCH_MODELS
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.models.variant import Variant
from imgcls.core.pixels.augment import Augmentation, read_augmentation
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.training.head_learner import MLP_DROPOUT, MLP_UNITS
from imgcls.core.tasks.training.progress import Stage

HeadKind = Literal["linear", "mlp"]
HEADS: tuple[HeadKind, ...] = get_args(HeadKind)

VAL_SPLIT = 0.2
BATCH_SIZE = 32
PATIENCE = 5

# Of a head; a model file has no room for more.
MOST_HIDDEN = 3
MOST_UNITS = 65_536

MOST_FOLDS = 50

# What a stage does unless the options say otherwise; they say it of the last stage.
STAGES: Mapping[str, Stage] = {
    "features": Stage("features", 100, 1e-3, BATCH_SIZE, save_every=10),
    "augmented": Stage("augmented", 15, 3e-4, BATCH_SIZE, continues=True),
    "fine-tuning": Stage("fine-tuning", 10, 1e-5, BATCH_SIZE, continues=True),
    "scratch": Stage("scratch", 30, 1e-3, BATCH_SIZE),
}

_SCRATCH_UNITS = 128


@dataclass(frozen=True)
class FinetuneOptions:
    """How to train; see `imgcls.finetune`.

    Raises:
        UsageError: a value is out of range, or two contradict each other.
    """

    model: str = DEFAULT_MODEL
    weights: str | os.PathLike[str] | None = None
    validation: str | os.PathLike[str] | None = None
    val_split: float | None = None
    epochs: int | None = None
    unfreeze: int | Literal["all"] = 0
    learning_rate: float | None = None
    augment: str = "none"
    head: HeadKind = "linear"
    size: int | None = None
    resize: Resize | None = None
    interpolation: Interpolation | None = None
    features: str | None = None
    hidden: tuple[int, ...] = ()
    dropout: float | None = None
    folds: int | None = None
    class_weights: bool = False
    batch_size: int = BATCH_SIZE
    seed: int = 0
    patience: int = PATIENCE
    max_seconds: float | None = None
    resume: bool = False
    skip_bad: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise UsageError(f"`{name}` must be 1 or more; it is {number}")
        if self.learning_rate is not None and not 0 < self.learning_rate < 10:
            raise UsageError(
                f"`learning_rate` must be above 0 and below 10; it is {self.learning_rate}"
            )
        if self.val_split is not None and not 0 < self.val_split < 1:
            raise UsageError(f"`val_split` must lie between 0 and 1; it is {self.val_split}")
        if self.validation is not None and self.val_split is not None:
            raise UsageError("`validation` and `val_split` contradict each other; use one of them")
        if self.seed < 0:
            raise UsageError(f"`seed` must be 0 or more; it is {self.seed}")
        if self.unfreeze != "all" and (type(self.unfreeze) is not int or self.unfreeze < 0):
            raise UsageError(f"`unfreeze` must be 0 or more, or all; it is {self.unfreeze}")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise UsageError(f"`max_seconds` must be above 0; it is {self.max_seconds}")
        _ = self.augmentation  # which refuses what it does not know
        if self.head not in HEADS:
            raise UsageError(f"`head` is one of {', '.join(HEADS)}")
        _ = self.variant  # which refuses a size that is out of range
        if len(self.hidden) > MOST_HIDDEN or not all(
            0 < units <= MOST_UNITS for units in self.hidden
        ):
            raise UsageError(
                f"`hidden` is the units, 1 to {MOST_UNITS}, of 1 to {MOST_HIDDEN} layers; it is "
                f"{', '.join(map(str, self.hidden))}"
            )
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise UsageError(f"`dropout` must be 0 or more and below 1; it is {self.dropout}")
        if self.dropout is not None and not self.hidden_units:
            raise UsageError(
                "`dropout` leaves out units of hidden layers; name those with `hidden`"
            )
        if self.folds is not None:
            self._check_folds(self.folds)
        if self.from_scratch and self.unfreeze:
            raise UsageError(f"{self.model} is trained whole; leave out `unfreeze`")
        if self.from_scratch and self.weights is not None:
            raise UsageError(f"{self.model} is trained from scratch; leave out `weights`")

    def _check_folds(self, folds: int) -> None:
        if not 2 <= folds <= MOST_FOLDS:
            raise UsageError(f"`folds` must be 2 to {MOST_FOLDS}; it is {folds}")
        for name in ("validation", "val_split"):
            if getattr(self, name) is not None:
                raise UsageError(f"`folds` validates on all images; leave out `{name}`")
        if self.from_scratch or self.unfreeze or self.augmentation:
            raise UsageError(
                "`folds` is for a head on features that are computed once; leave it out, or leave "
                "out `unfreeze`, `augment` and a network that is trained from scratch"
            )

    @property
    def from_scratch(self) -> bool:
        """Whether the network has no weights to begin with."""
        return self.model in SCRATCH_MODELS

    @property
    def augmentation(self) -> Augmentation | None:
        """How images are changed at random; None for not at all."""
        return read_augmentation(self.augment)

    @property
    def variant(self) -> Variant:
        """How the network differs from what its name or its file says."""
        return Variant(self.size, self.features or "")

    @property
    def hidden_units(self) -> tuple[int, ...]:
        """The widths of the head's hidden layers."""
        if self.hidden:
            return self.hidden
        if self.from_scratch:
            return (_SCRATCH_UNITS,)
        return (MLP_UNITS,) if self.head == "mlp" else ()

    @property
    def left_out(self) -> float:
        """The part of hidden units that is left out in a step."""
        return MLP_DROPOUT if self.dropout is None else self.dropout

    @property
    def fraction(self) -> float:
        """The part of the training images that is set aside where there is no other folder."""
        return VAL_SPLIT if self.val_split is None else self.val_split

    @property
    def learning_layers(self) -> int | None:
        """How many of the backbone's last layers are trained; None for all."""
        return None if self.unfreeze == "all" else self.unfreeze

    def stages(self) -> list[Stage]:
        """Return what is done, one after the other."""
        if self.from_scratch:
            names = ["scratch"]
        else:
            names = ["features"]
            names += ["augmented"] if self.augmentation else []
            names += ["fine-tuning"] if self.unfreeze else []
        stages = [replace(STAGES[name], batch_size=self.batch_size) for name in names]
        stages[-1] = replace(
            stages[-1],
            epochs=self.epochs or stages[-1].epochs,
            learning_rate=self.learning_rate or stages[-1].learning_rate,
        )
        return stages

    def _given(self, *names: str) -> dict[str, Any]:
        """Return the options of these names that are not left to their defaults."""
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def described(self) -> dict[str, Any]:
        """Return what the outcome depends on, as JSON has it."""
        return {
            "model": self.model,
            "stages": [stage.name for stage in self.stages()],
            "epochs": self.stages()[-1].epochs,
            "learning_rate": self.stages()[-1].learning_rate,
            "unfreeze": self.unfreeze,
            "augment": self.augment,
            "head": list(self.hidden_units),
            **self._given("size", "resize", "interpolation", "features", "dropout", "folds"),
            "class_weights": self.class_weights,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "patience": self.patience,
            "val_split": self.fraction,
        }

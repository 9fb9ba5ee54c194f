"""What the options of a training mean: its stages, and what may not go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from imgcls.core.errors import UsageError
from imgcls.core.models.table import SCRATCH_MODELS
from imgcls.core.pixels.augment import AUGMENTATIONS
from imgcls.core.tasks.training.head_learner import MLP_DROPOUT, MLP_UNITS
from imgcls.core.tasks.training.loop import Stage

HeadKind = Literal["linear", "mlp"]
HEADS: tuple[HeadKind, ...] = get_args(HeadKind)

ALL_LAYERS = -1
VAL_SPLIT = 0.2
BATCH_SIZE = 32
PATIENCE = 5

# What a stage does unless the options say otherwise; they say it of the last stage.
STAGES: Mapping[str, Stage] = {
    "features": Stage("features", 100, 1e-3, BATCH_SIZE, save_every=10),
    "augmented": Stage("augmented", 15, 3e-4, BATCH_SIZE, continues=True),
    "fine-tuning": Stage("fine-tuning", 10, 1e-5, BATCH_SIZE, continues=True),
    "scratch": Stage("scratch", 30, 1e-3, BATCH_SIZE),
}

_SCRATCH_UNITS = 128


@dataclass(frozen=True)
class Options:
    """How to train; see `imgcls.finetune`."""

    model: str
    epochs: int | None
    unfreeze: int
    learning_rate: float | None
    augment: str
    head: HeadKind
    class_weights: bool
    batch_size: int
    seed: int
    patience: int
    max_seconds: float | None
    val_split: float

    @property
    def from_scratch(self) -> bool:
        """Whether the network has no weights to begin with."""
        return self.model in SCRATCH_MODELS

    @property
    def hidden_units(self) -> tuple[int, ...]:
        """The widths of the head's hidden layers."""
        if self.from_scratch:
            return (_SCRATCH_UNITS,)
        return (MLP_UNITS,) if self.head == "mlp" else ()

    @property
    def dropout(self) -> float:
        """The part of hidden units that is left out in a step."""
        return MLP_DROPOUT

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: a value is out of range, or two contradict each other.
        """
        whole = {"epochs": self.epochs, "batch size": self.batch_size, "patience": self.patience}
        for name, number in whole.items():
            if number is not None and number < 1:
                raise UsageError(f"{name} {number}: must be 1 or more")
        if self.learning_rate is not None and not 0 < self.learning_rate < 10:
            raise UsageError(f"learning rate {self.learning_rate}: must be above 0, and below 10")
        if not 0 < self.val_split < 1:
            raise UsageError(f"validation split {self.val_split}: must lie between 0 and 1")
        if self.unfreeze < ALL_LAYERS or self.seed < 0:
            raise UsageError("the seed and the layers to unfreeze are 0 or more")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise UsageError("the time limit must be above 0")
        if self.augment not in AUGMENTATIONS or self.head not in HEADS:
            raise UsageError(
                f"augment is one of {', '.join(AUGMENTATIONS)}, head one of {', '.join(HEADS)}"
            )
        if self.from_scratch and self.unfreeze:
            raise UsageError(f"{self.model} is trained whole; leave out --unfreeze")

    def stages(self) -> list[Stage]:
        """Return what is done, one after the other."""
        if self.from_scratch:
            names = ["scratch"]
        else:
            names = ["features"]
            names += ["augmented"] if self.augment != "none" else []
            names += ["fine-tuning"] if self.unfreeze else []
        stages = [replace(STAGES[name], batch_size=self.batch_size) for name in names]
        stages[-1] = replace(
            stages[-1],
            epochs=self.epochs or stages[-1].epochs,
            learning_rate=self.learning_rate or stages[-1].learning_rate,
        )
        return stages

    def described(self) -> dict[str, Any]:
        """Return what the outcome depends on, as JSON has it."""
        return {
            "model": self.model,
            "stages": [stage.name for stage in self.stages()],
            "epochs": self.stages()[-1].epochs,
            "learning_rate": self.stages()[-1].learning_rate,
            "unfreeze": "all" if self.unfreeze == ALL_LAYERS else self.unfreeze,
            "augment": self.augment,
            "head": list(self.hidden_units),
            "class_weights": self.class_weights,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "patience": self.patience,
            "val_split": self.val_split,
        }

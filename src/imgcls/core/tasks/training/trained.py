"""What a training ends with: the head, calibrated, and what is familiar to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgcls.core.arrays import Float32Array
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.head import Head
from imgcls.core.tasks.training.batches import Columns, FixedFeatures
from imgcls.core.tasks.training.calibration import fit_temperature, log_loss
from imgcls.core.tasks.training.folds import assign_folds
from imgcls.core.tasks.training.history import Epoch

FOLDS = 5  # of the training photos, where they help to calibrate or to say what is familiar
_CHECKED = 16  # validation images that the saved file is checked on
_ENOUGH = 30  # validation photos, to say what is familiar


@dataclass(frozen=True)
class FoldFigures:
    """How well a recipe does on photos that it did not learn.

    Attributes:
        accuracies: of each fold, 0 to 1.
        confusion_matrix: of all folds together, int64 (classes, classes), rows true.
    """

    accuracies: tuple[float, ...]
    confusion_matrix: Columns

    @property
    def mean(self) -> float:
        """The mean accuracy over the folds."""
        return float(np.mean(self.accuracies))

    @property
    def spread(self) -> float:
        """The standard deviation of the accuracy over the folds."""
        return float(np.std(self.accuracies, ddof=1))


@dataclass(frozen=True)
class Trained:
    """What a training ended with.

    Attributes:
        head: the classifier.
        backbone: tensors of the backbone for the model file; None where its own weights do.
        best: the epoch that it is of; of an earlier stage, where the last found nothing better.
        history: all epochs.
        checked: positions of some validation images.
        logits: what the trained model says of those, (n, classes).
        temperature: what the logits were divided by, so that the scores are calibrated.
        val_loss: mean cross-entropy of the calibrated scores on the validation images.
        familiarity: what tells how far an image is from those learned.
        folds: how well the recipe does over folds; None without them.
    """

    head: Head
    backbone: dict[str, np.ndarray] | None
    best: Epoch
    history: Sequence[Epoch]
    checked: Sequence[int]
    logits: Float32Array
    temperature: float
    val_loss: float
    familiarity: Familiarity | None
    folds: FoldFigures | None = None


def finished(
    head: Head,
    backbone: dict[str, np.ndarray] | None,
    best: Epoch,
    history: Sequence[Epoch],
    training: FixedFeatures,
    validation: FixedFeatures,
    unseen: Float32Array | None = None,
) -> Trained:
    """Calibrate the head, and learn what is familiar.

    Args:
        head: as it was trained.
        backbone: its tensors, for the model file.
        best: the best epoch.
        history: all epochs.
        training: what the head learned.
        validation: what the best epoch was chosen by.
        unseen: logits of the training photos by heads that did not learn them, if there are.
    """
    columns = validation.columns
    logits = head.logits(validation.features)
    if unseen is None:
        temperature = fit_temperature(logits, columns)
    else:
        both = np.concatenate([unseen, logits])
        temperature = fit_temperature(both, np.concatenate([training.columns, columns]))
    head = head.tempered(temperature)
    right = logits.argmax(axis=1) == columns
    checked = checked_positions(columns)
    return Trained(
        head,
        backbone,
        best,
        history,
        checked,
        head.logits(validation.features[checked]),
        temperature=temperature,
        val_loss=log_loss(logits / np.float32(temperature), columns),
        familiarity=_familiarity(training, validation, right),
    )


def _familiarity(
    training: FixedFeatures, validation: FixedFeatures, right: npt.NDArray[np.bool_]
) -> Familiarity | None:
    """Learn what is familiar.

    A photo is unknown that is less familiar than all photos that it is compared with: of the
    photos of the classes, one in as many as those are. Where the validation photos are few, the
    training photos are among them, each as the other folds see it.

    Args:
        training: what the head learned.
        validation: what it did not.
        right: which of those it takes for what they are.
    """
    if right.sum() >= _ENOUGH:
        return Familiarity.of(training.features, training.columns, validation.features[right])
    features = np.concatenate([training.features, validation.features])
    columns = np.concatenate([training.columns, validation.columns])
    folds = assign_folds([str(column) for column in columns.tolist()], (), FOLDS, 0)
    known = np.concatenate([np.ones(len(training.columns), bool), right])
    return Familiarity.of_folds(features, columns, folds, known)


def checked_positions(columns: np.ndarray) -> list[int]:
    """Return positions of some validation images, evenly taken from all classes."""
    count = min(_CHECKED, len(columns))
    return sorted({round(position) for position in np.linspace(0, len(columns) - 1, count)})

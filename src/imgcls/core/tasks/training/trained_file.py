"""What the model file of a training says: its network and head, and what they learned."""

from __future__ import annotations

import importlib.metadata
import sys

from imgcls.core.engines.model import Model
from imgcls.core.models.model_file import ModelFile
from imgcls.core.models.spec import features_described
from imgcls.core.tasks.training.network_stages import scratch_spec
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.selection import Selection
from imgcls.core.tasks.training.trained import Trained


def trained_file(
    options: FinetuneOptions, selection: Selection, model: Model | None, trained: Trained
) -> ModelFile:
    """Return what the file of a training says.

    Args:
        options: what was asked for.
        selection: the images.
        model: what the training began with; None for a network from scratch.
        trained: what it ended with.
    """
    name = model.network.name if model else options.model
    spec = model.network.spec if model else scratch_spec(options)
    features = model.network.variant.features if model else options.variant.features
    described = features_described(spec)
    return ModelFile(
        backbone=name,
        backbone_weights="own" if trained.backbone is None else "stored",
        weights_sha256=model.network.fresh_weights_id() if model else "",
        head=trained.head,
        labels=selection.labels,
        preprocessing=model.preprocessing if model else spec.preprocessing,
        features=features if described is None else "",
        described=described,
        familiarity=trained.familiarity,
        training={
            "options": options.described(),
            "classes": selection.counts,
            "images": len(selection.training.sources),
            "validation_images": len(selection.validation.sources),
            "images_sha256": selection.digest,
        },
        metrics={
            "val_accuracy": trained.best.val_accuracy,
            "val_loss": trained.val_loss,
            "temperature": trained.temperature,
            **({"folds": list(trained.folds.accuracies)} if trained.folds else {}),
            "stage": trained.best.stage,
            "epoch": trained.best.epoch,
        },
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    packages = ("imgcls", "numpy", "pillow")
    used = [package for package in ("keras", "tensorflow") if package in sys.modules]
    return {package: importlib.metadata.version(package) for package in (*packages, *used)}

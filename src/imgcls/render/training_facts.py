"""How a model file came to be, in words: what it was trained on, in which way, how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imgcls.core.models.model_file import ModelFile
from imgcls.core.words import counted

# Options that the recipe says in its own words.
_IN_RECIPE = ("model", "stages", "unfreeze", "augment", "head")


def training_facts(file: ModelFile) -> dict[str, str]:
    """Return what `finetune` wrote into a file, a text a fact; nothing for files of another origin.

    A file may come from anybody: where it does not hold what `finetune` writes, nothing is
    returned, and it is shown as it stands.
    """
    training, metrics = file.training, file.metrics
    try:
        options = training["options"]
        classes = ", ".join(f"{label} {count}" for label, count in training["classes"].items())
        return {
            "accuracy": (
                f"{metrics['val_accuracy']:.2%} of "
                f"{counted(training['validation_images'], 'validation image')} "
                f"(loss {metrics['val_loss']:.4f}{_calibrated(metrics)})"
            ),
            "kept": f"epoch {metrics['epoch']} of the {metrics['stage']} stage",
            "trained on": f"{counted(training['images'], 'image')}: {classes}",
            "recipe": _recipe(options),
            "options": ", ".join(
                _option(name, value)
                for name, value in options.items()
                if name not in _IN_RECIPE and value is not False and value not in (None, [])
            ),
            "images SHA-256": str(training["images_sha256"]),
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _calibrated(metrics: Mapping[str, Any]) -> str:
    temperature = metrics.get("temperature")
    return "" if temperature is None else f", calibrated by a temperature of {temperature:.3g}"


def _recipe(options: Mapping[str, Any]) -> str:
    """Return the stages: "a linear head on the features, then the last 20 layers too"."""
    widths = " and ".join(map(str, options["head"]))
    head = f"a head of {widths} hidden units" if widths else "a linear head"
    unfrozen = options["unfreeze"]
    layers = "all layers" if unfrozen == "all" else f"the last {counted(unfrozen, 'layer')}"
    if unfrozen == 1:
        layers = "the last layer"
    words = {
        "scratch": f"all layers and {head} from scratch",
        "features": f"{head} on the features",
        "augmented": f"then on changed images ({options['augment']})",
        "fine-tuning": f"then {layers} too",
    }
    return ", ".join(words[stage] for stage in options["stages"])


def _option(name: str, value: Any) -> str:
    if name == "epochs":
        return f"at most {counted(value, 'epoch')}"
    if name == "val_split":
        return f"{value:.0%} set aside where none is named"
    name = name.replace("_", " ")
    if value is True:
        return name
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"

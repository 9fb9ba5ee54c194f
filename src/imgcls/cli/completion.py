"""What a word of a command line could become, for the shell that asks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from imgcls.core.errors import ImgclsError
from imgcls.core.models.backbones import SCRATCH_MODELS
from imgcls.core.models.table import DEFAULT_MODEL, MODELS

if TYPE_CHECKING:
    Items = list[CompletionItem[str]]
    # The context with the parameters given so far, and the beginning of a word → its ends.
    Complete = Callable[[click.Context, str], Items]

# The shell itself completes paths: of a folder, or of a file of these endings, or of any file.
_FOLDERS = "dir"
_FILES = "file"
ANY = "-"


def _files(*endings: str) -> Complete:
    """Offer folders, and files of these endings; any file where none are given or there are."""
    value = " ".join(endings) or ANY
    return lambda ctx, incomplete: [CompletionItem(value, type=_FILES)]


def _folders(ctx: click.Context, incomplete: str) -> Items:
    return [CompletionItem(ANY, type=_FOLDERS)]


def _names(ctx: click.Context, incomplete: str) -> Items:
    return _beginning(MODELS, incomplete)


def _models(ctx: click.Context, incomplete: str) -> Items:
    """Offer the models of the table, for a training also those from scratch, and model files."""
    names = [*MODELS, *(SCRATCH_MODELS if ctx.info_name == "finetune" else ())]
    files = [CompletionItem(".safetensors", type=_FILES)]
    return _beginning(names, incomplete) + files


def _labels(ctx: click.Context, incomplete: str) -> Items:
    """Offer the labels of the model that the line names so far."""
    from imgcls.core.models.find_model import is_model_file, open_model_file
    from imgcls.core.models.labels import imagenet_labels

    model = _model(ctx)
    if is_model_file(model):
        return _beginning(open_model_file(model).labels, incomplete)
    return _beginning((label.label for label in imagenet_labels()), incomplete)


def _layers(ctx: click.Context, incomplete: str) -> Items:
    return _beginning(layer_names(_model(ctx)), incomplete)


def _features(ctx: click.Context, incomplete: str) -> Items:
    return _beginning(["avg", "flatten", *layer_names(_model(ctx))], incomplete)


def _colormaps(ctx: click.Context, incomplete: str) -> Items:
    from matplotlib import colormaps

    return _beginning(colormaps, incomplete)


def _alpha(ctx: click.Context, incomplete: str) -> Items:
    from imgcls.core.tasks.heatmap.drawing import EVIDENCE

    return _beginning([EVIDENCE], incomplete)


def _model(ctx: click.Context) -> str:
    return ctx.params.get("model") or os.environ.get("IMGCLS_MODEL") or DEFAULT_MODEL


def _beginning(names: Iterable[str], incomplete: str) -> Items:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def layer_names(model: str) -> list[str]:
    """Return the layers of a model that have height and width.

    They are kept in the cache: the network must be built to know them, which takes seconds.

    Raises:
        ModelError: there is no such model.
    """
    from imgcls.core.content_cache import open_content_cache
    from imgcls.core.models.find_model import is_model_file
    from imgcls.core.version import __version__

    digest = hashlib.sha256(f"{__version__} {model}".encode())
    if is_model_file(model):
        with open(model, "rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    key = digest.hexdigest()
    with open_content_cache("layers-1") as cache:
        known = cache.get([key])
        if key not in known:
            from imgcls.core.tasks.heatmap.explain import layers_of

            layers, _ = layers_of(model)
            known = {key: "\n".join(layers).encode()}
            cache.put(known.items())
    return known[key].decode().split("\n")


_DATA = _files(".csv")
_LISTS = _files(".txt", ".lst", ".list", ".csv")

# Parameter → what completes it; the same in all commands. Choices complete by themselves.
COMPLETIONS: Mapping[str, Complete] = {
    "inputs": _files(),
    "files_from": _LISTS,
    "model": _models,
    "name": _names,
    "names": _names,
    "weights": _files(".h5", ".keras"),
    "folder": _DATA,
    "root": _DATA,
    "validation": _DATA,
    "calibrate": _folders,
    "unfamiliar": _folders,
    "draw": _folders,
    "report_dir": _folders,
    "sort_into": _folders,
    "undo": _files(".csv"),
    "out": _files(),
    "output": _files(),
    "report": _files(".html"),
    "file": _files(".keras", ".h5", ".hdf5"),
    "labels": _files(".txt", ".json"),
    "class_name": _labels,
    "versus": _labels,
    "layer": _layers,
    "layers": _layers,
    "features_": _features,
    "colormap": _colormaps,
    "alpha": _alpha,
}


def take_completions(command: click.Command) -> None:
    """Let the parameters of a command, and of those below it, complete."""
    for parameter in command.params:
        complete = COMPLETIONS.get(str(parameter.name))
        if complete is not None and takes_text(parameter):
            parameter.shell_complete = _safely(complete)  # type: ignore[assignment, method-assign]
    if isinstance(command, click.Group):
        for below in command.commands.values():
            take_completions(below)


def takes_text(parameter: click.Parameter) -> bool:
    """Whether a parameter is text that may be anything, neither a flag nor a choice or number."""
    return parameter.type is click.STRING and not getattr(parameter, "is_flag", False)


def _safely(complete: Complete) -> Complete:
    def ends(ctx: click.Context, incomplete: str) -> Items:
        try:
            return complete(ctx, incomplete)
        except (ImgclsError, OSError):  # a model that is not there has no layers
            return []

    return ends

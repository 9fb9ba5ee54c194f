"""Which arrays of a Keras file are whose: the weights of each layer, by their own names.

A .keras file numbers the layers of a class in the order of the network. An .h5 file has a group
for each layer of the outer model with the names of its weights; Keras reads it by order, those
that were trained first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from imgcls.core.models.keras_file.contents import CONTAINERS, KerasFile
from imgcls.core.models.keras_file.tree import SourceLayer

Config = Mapping[str, Any]


_STATISTICS = ("moving_mean", "moving_variance", "mean", "variance", "count")


def variables(kind: str, config: Config) -> tuple[str, ...]:
    """Return the names of the weights of a layer of some class, in Keras' order."""
    bias = ("bias",) if config.get("use_bias", True) else ()
    gamma = ("gamma",) if config.get("scale", True) else ()
    beta = ("beta",) if config.get("center", True) else ()
    match kind:
        case "Conv2D" | "Convolution2D" | "Dense":
            return ("kernel", *bias)
        case "DepthwiseConv2D":
            return ("kernel", *bias)
        case "SeparableConv2D" | "SeparableConvolution2D":
            return ("depthwise_kernel", "pointwise_kernel", *bias)
        case "BatchNormalization" | "BatchNormalizationV1" | "BatchNormalizationV2":
            return (*gamma, *beta, "moving_mean", "moving_variance")
        case "LayerNormalization" | "GroupNormalization":
            return (*gamma, *beta)
        case "Normalization" if config.get("mean") is None:
            return ("mean", "variance", "count")
        case "PReLU":
            return ("alpha",)
        case "LayerScale":
            return ("gamma",)
    return ()


def find_arrays(tree: SourceLayer, file: KerasFile) -> dict[SourceLayer, dict[str, str]]:
    """Return where in the file the weights of each plain layer are, by name.

    Raises:
        ValueError: the file does not hold the weights of this network.
    """
    if file.weight_names is None:
        return dict(_numbered(tree, "", file))
    found: dict[SourceLayer, dict[str, str]] = {}
    for layer in tree.layers or ():
        found |= _named(layer, file)
    return found


def _numbered(
    model: SourceLayer, prefix: str, file: KerasFile
) -> Iterator[tuple[SourceLayer, dict[str, str]]]:
    places = _places(prefix, file)
    by_class = defaultdict(list)
    for layer in model.layers or ():
        if any(variables(leaf.kind, leaf.config) for leaf in layer.leaves()):
            by_class[_snake(layer.kind)].append(layer)
    for kind, layers in by_class.items():
        there = [place for _, place in sorted(places.get(kind, ()))]
        if len(there) != len(layers):
            raise ValueError(f"it holds weights of {len(there)} {kind}, the network {len(layers)}")
        for layer, place in zip(layers, there, strict=True):
            if layer.layers is not None:
                yield from _numbered(layer, f"{place}/", file)
            else:
                names = variables(layer.kind, layer.config)
                yield layer, {name: f"{place}/vars/{i}" for i, name in enumerate(names)}


def _places(prefix: str, file: KerasFile) -> dict[str, list[tuple[int, str]]]:
    """Return the numbered places with weights of each class right below a model's own."""
    found: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for path in file.arrays:
        for container in CONTAINERS:
            start = f"{prefix}{container}/"
            inner, _, rest = path.removeprefix(start).partition("/")
            if path.startswith(start) and not rest.startswith("seed_generator/"):
                kind, number = re.fullmatch(r"(?s)(.*?)(?:_([0-9]+))?", inner).groups()  # type: ignore[union-attr]
                found[kind].add((int(number or 0), start + inner))
    return {kind: list(places) for kind, places in found.items()}


def _snake(name: str) -> str:
    """Return how Keras' files write the name of a class: separable_conv2d."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _named(layer: SourceLayer, file: KerasFile) -> dict[SourceLayer, dict[str, str]]:
    wanted = {leaf: variables(leaf.kind, leaf.config) for leaf in layer.leaves()}
    wanted = {leaf: names for leaf, names in wanted.items() if names}
    if not wanted:
        return {}
    group = f"model_weights/{layer.name}"
    names = (file.weight_names or {}).get(layer.name)
    if names is None:
        raise ValueError(f"it holds no weights of layer {layer.name}")
    paths = [f"{group}/{name}" for name in names]
    paths = [path for path in paths if "seed_generator" not in path]
    if sum(map(len, wanted.values())) != len(paths) or not file.arrays.keys() >= set(paths):
        raise ValueError(f"it does not hold the weights of layer {layer.name}")
    return _by_own_name(wanted, paths) or _by_order(layer, wanted, paths)


def _by_own_name(
    wanted: Mapping[SourceLayer, tuple[str, ...]], paths: Iterable[str]
) -> dict[SourceLayer, dict[str, str]] | None:
    """Find weights by ".../LAYER/kernel:0"; None where the names do not say it all."""
    places = {(path.split("/")[-2], _plain(path)): path for path in paths}
    keys = [(leaf.name, name) for leaf, names in wanted.items() for name in names]
    if len(set(keys)) != len(keys) or set(keys) != places.keys():
        return None
    return {
        leaf: {name: places[leaf.name, name] for name in names} for leaf, names in wanted.items()
    }


def _plain(path: str) -> str:
    name = path.split("/")[-1].partition(":")[0]
    return "kernel" if name == "depthwise_kernel" and "separable" not in path else name


def _by_order(
    layer: SourceLayer, wanted: Mapping[SourceLayer, tuple[str, ...]], paths: list[str]
) -> dict[SourceLayer, dict[str, str]]:
    """Find weights as Keras does: first all that are trained, then the others."""
    trained = _trained(layer, above=True)
    keys = [(leaf, name) for leaf, names in wanted.items() for name in names]
    fixed = [key for key in keys if key[1] in _STATISTICS or not trained[key[0]]]
    order = [key for key in keys if key not in fixed] + fixed
    found: dict[SourceLayer, dict[str, str]] = defaultdict(dict)
    for (leaf, name), path in zip(order, paths, strict=True):
        found[leaf][name] = path
    return dict(found)


def _trained(layer: SourceLayer, *, above: bool) -> dict[SourceLayer, bool]:
    trained = above and bool(layer.config.get("trainable", True))
    if layer.layers is None:
        return {layer: trained}
    found: dict[SourceLayer, bool] = {}
    for inner in layer.layers:
        found |= _trained(inner, above=trained)
    return found

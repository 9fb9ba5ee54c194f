"""The end of a network: what gives the scores, and the head that can be trained anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.models.described_layer import Layer
from imgcls.core.models.head import Head
from imgcls.core.models.keras_file.flat_network import FlatNetwork

_MAX_HEAD_LAYERS = 4


def end_in_logits(flat: FlatNetwork) -> str:
    """Take the last activation off a network, so that it ends in logits of two or more classes.

    Returns:
        What the network ended in: "softmax", "logits", "sigmoid" or (one) "logit".

    Raises:
        ValueError: it does not end in the scores of classes.
    """
    ending = _take_last_activation(flat)
    shape = flat.shapes[flat.output]
    if len(shape) != 1:
        raise ValueError(
            f"it gives {'×'.join(map(str, shape))} numbers, not one score a class: imgcls takes "
            "classifiers, no detectors, segmentations or backbones without a head"
        )
    if ending == "sigmoid" and shape[0] > 1:
        raise ValueError(
            f"its {shape[0]} sigmoids are right or wrong each for itself; imgcls takes networks "
            "whose classes exclude each other (softmax, or one sigmoid)"
        )
    if ending not in ("softmax", "sigmoid", "linear"):
        raise ValueError(f"it ends in {ending}, which gives no scores")
    if shape[0] == 1:
        if ending == "softmax":
            raise ValueError("it has one class, whose score is always 1")
        _split_sigmoid(flat)
        return "sigmoid" if ending == "sigmoid" else "logit"
    return "logits" if ending == "linear" else ending


def _take_last_activation(flat: FlatNetwork) -> str:
    last = flat.layers[-1]
    if last.kind == "flatten" and len(flat.shapes[last.inputs[0]]) == 1:
        flat.layers.pop()
        flat.output = last.inputs[0]
        return _take_last_activation(flat)
    activation = str(last.arguments.get("activation", "linear"))
    if last.kind == "activation":
        flat.layers.pop()
        flat.output = last.inputs[0]
    elif activation != "linear":
        flat.layers[-1] = replace(last, arguments={**last.arguments, "activation": "linear"})
    elif last.kind in ("relu", "leaky_relu", "elu", "prelu"):
        return last.kind
    return activation


def _split_sigmoid(flat: FlatNetwork) -> None:
    """Make two classes of one logit z: −z/2 and z/2, whose softmax is 1 − sigmoid and sigmoid."""
    halves = np.array([[-0.5, 0.5]], np.float32)
    last = flat.layers[-1]
    if last.kind != "dense":
        name = flat.add(
            "two_classes",
            "dense",
            (flat.output,),
            {"units": 2, "use_bias": False, "activation": "linear"},
            {"kernel": halves},
        )
        flat.output = name
        return
    arrays = flat.arrays[last.name]
    flat.arrays[last.name] = {
        "kernel": arrays["kernel"] @ halves,
        **({"bias": (arrays["bias"] @ halves)} if "bias" in arrays else {}),
    }
    flat.layers[-1] = replace(last, arguments={**last.arguments, "units": 2})
    flat.shapes[last.name] = (2,)


def cut_head(flat: FlatNetwork) -> Head | None:
    """Take the dense layers off the end of a network, those with ReLU between them.

    Normalizations between them become part of them.

    Returns:
        The head on the features in which the network now ends; None if it ends in none.
    """
    _fold_normalizations(flat)
    dense = _dense_suffix(flat)
    if not dense:
        return None
    layers = []
    for layer in dense:
        arrays = flat.arrays.pop(layer.name)
        kernel = arrays["kernel"]
        layers.append((kernel, arrays.get("bias", np.zeros(kernel.shape[1], np.float32))))
    del flat.layers[-len(dense) :]
    flat.output = dense[0].inputs[0]
    return Head(tuple(layers))


def _dense_suffix(flat: FlatNetwork) -> list[Layer]:
    """Return the last dense layers, in order."""
    found: list[Layer] = []
    for layer in reversed(_chain(flat)):
        wanted = "relu" if found else "linear"
        if layer.kind != "dense" or layer.arguments["activation"] != wanted:
            break
        found.insert(0, layer)
        if len(found) == _MAX_HEAD_LAYERS:
            break
    return found


def _chain(flat: FlatNetwork) -> list[Layer]:
    """Return the layers on vectors at the end, each of which only the next one takes."""
    readers = [name for layer in flat.layers for name in layer.inputs]
    by_name = {layer.name: layer for layer in flat.layers}
    chain: list[Layer] = []
    layer = flat.layers[-1]
    while len(layer.inputs) == 1 and len(flat.shapes[layer.inputs[0]]) == 1:
        chain.insert(0, layer)
        if readers.count(layer.inputs[0]) != 1:
            break
        layer = by_name[layer.inputs[0]]
    return chain


def _fold_normalizations(flat: FlatNetwork) -> None:
    """Make batch normalizations, and ReLUs of their own, part of the dense layers beside them."""
    position = 0
    while position < len(chain := _chain(flat)):
        layer = chain[position]
        before = chain[position - 1] if position else None
        after = chain[position + 1] if position + 1 < len(chain) else None
        linear = before is not None and before.kind == "dense" and _is_linear(before)
        if _is_plain_relu(layer) and before is not None and linear:
            _replace(flat, before, arguments={**before.arguments, "activation": "relu"})
            _take_out(flat, layer)
        elif layer.kind == "batch_normalization" and before is not None and linear:
            _scale_outputs(flat, before, *_line(flat, layer))
            _take_out(flat, layer)
        elif layer.kind == "batch_normalization" and after is not None and after.kind == "dense":
            _scale_inputs(flat, after, *_line(flat, layer))
            _take_out(flat, layer)
        else:
            position += 1
            continue
        if layer.kind == "batch_normalization":
            flat.folded.append("BatchNormalization")


def _is_linear(layer: Layer) -> bool:
    return bool(layer.arguments.get("activation") == "linear")


def _is_plain_relu(layer: Layer) -> bool:
    if layer.kind == "activation":
        return bool(layer.arguments["activation"] == "relu")
    arguments = layer.arguments
    return layer.kind == "relu" and not (
        arguments["max_value"] is not None or arguments["negative_slope"] or arguments["threshold"]
    )


def _line(flat: FlatNetwork, layer: Layer) -> tuple[Any, Any]:
    """Return the scale and the offset that a batch normalization is, float64 (channels,)."""
    arrays = {name: array.astype(np.float64) for name, array in flat.arrays[layer.name].items()}
    scale = arrays.get("gamma", 1.0) / np.sqrt(
        arrays["moving_variance"] + layer.arguments["epsilon"]
    )
    return scale, arrays.get("beta", 0.0) - arrays["moving_mean"] * scale


def _scale_outputs(flat: FlatNetwork, dense: Layer, scale: Any, offset: Any) -> None:
    kernel, bias = _float64(flat, dense)
    _set_dense(flat, dense, kernel * scale, bias * scale + offset)


def _scale_inputs(flat: FlatNetwork, dense: Layer, scale: Any, offset: Any) -> None:
    kernel, bias = _float64(flat, dense)
    _set_dense(flat, dense, kernel * scale[:, np.newaxis], bias + offset @ kernel)


def _float64(flat: FlatNetwork, dense: Layer) -> tuple[Any, Any]:
    arrays = flat.arrays[dense.name]
    kernel = arrays["kernel"].astype(np.float64)
    return kernel, arrays.get("bias", np.zeros(kernel.shape[1])).astype(np.float64)


def _set_dense(flat: FlatNetwork, dense: Layer, kernel: Any, bias: Any) -> None:
    arrays: dict[str, Float32Array] = {
        "kernel": kernel.astype(np.float32),
        "bias": bias.astype(np.float32),
    }
    flat.arrays[dense.name] = arrays
    _replace(flat, dense, arguments={**dense.arguments, "use_bias": True})


def _replace(flat: FlatNetwork, layer: Layer, **changes: Any) -> None:
    position = [other.name for other in flat.layers].index(layer.name)
    flat.layers[position] = replace(flat.layers[position], **changes)


def _take_out(flat: FlatNetwork, layer: Layer) -> None:
    """Remove a layer with one input, whose readers then take that."""
    (given,) = layer.inputs
    flat.arrays.pop(layer.name, None)
    flat.layers = [
        replace(other, inputs=tuple(given if name == layer.name else name for name in other.inputs))
        for other in flat.layers
        if other.name != layer.name
    ]
    if flat.output == layer.name:
        flat.output = given

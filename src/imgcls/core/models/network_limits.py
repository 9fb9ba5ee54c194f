"""How large a described network may be: its layers in a row, its memory, its work."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.layer_shapes import Shape

MAX_LAYERS = 4000  # NASNet-Large has 1,000
_MAX_DEPTH = 850  # Keras recurses as deep; EfficientNetV2-L has 787
MAX_NUMBERS = 2**26  # of one layer's output: 256 MB
_MAX_LIVE_NUMBERS = 2**28  # of all outputs that are needed at one time: 1 GB
_MAX_TOTAL_NUMBERS = 3 * 2**29  # of all outputs, which gradients need; EfficientNet-B7 has 1e9
_MAX_WORK = 10**12  # multiplications for one image; ConvNeXt-XLarge at 384 pixels has 1.8e11


def check_depth(layers: Iterable[Layer]) -> None:
    """Check that Keras can go from the output to all layers: the first input of each first.

    The longest chain may be longer: EfficientNetV2-L has 1031 layers in a row, but one input of
    its multiplications is a short cut.

    Raises:
        ValueError: too many layers come one after another; the text names the one too many.
    """
    inputs = {layer.name: layer.inputs for layer in layers}
    *_, last = inputs
    known, chain = {last}, [iter(inputs[last])]
    while chain:
        name = next(chain[-1], None)
        if name is None:
            chain.pop()
        elif name not in known:
            known.add(name)
            chain.append(iter(inputs[name]))
            if len(chain) > _MAX_DEPTH:
                raise ValueError(f"layer {name}: over {_MAX_DEPTH} layers come one after another")


def check_size(
    layers: Sequence[Layer],
    shapes: Mapping[str, Shape],
    parameters: Mapping[str, Mapping[str, Shape]],
) -> None:
    """Bound what running the network on one image takes.

    Args:
        layers: in order.
        shapes: of each layer's output, without the batch.
        parameters: shapes of each layer's parameters; without layers of none.

    Raises:
        ValueError: it takes too much memory or work; the text names the layer that goes too far.
    """
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    readers = Counter(name for layer in layers for name in layer.inputs)
    live, total, work = 0, 0, 0
    for layer in layers:
        live += sizes[layer.name]
        total += sizes[layer.name]
        if live > _MAX_LIVE_NUMBERS or total > _MAX_TOTAL_NUMBERS:
            raise ValueError(f"layer {layer.name}: up to here an image needs too much memory")
        for name in layer.inputs:
            readers[name] -= 1
            live -= 0 if readers[name] else sizes[name]
        work += _work(layer, shapes[layer.name], parameters.get(layer.name, {}))
        if work > _MAX_WORK:
            raise ValueError(f"layer {layer.name}: over {_MAX_WORK:.0e} multiplications an image")


def _work(layer: Layer, shape: Shape, parameters: Mapping[str, Shape]) -> int:
    """Return about how many multiplications a layer takes for one image."""
    kernels = sum(math.prod(sides) for name, sides in parameters.items() if name.endswith("kernel"))
    window: tuple[int, ...] = layer.arguments.get("pool_size", ())
    return math.prod(shape[:-1]) * kernels + math.prod((*shape, *window))

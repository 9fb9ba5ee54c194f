"""Ways to say which part of an image made a model decide: one function and one row each.

A method's parameters name what it needs, and nothing else is computed for it:

    activations      (h, w, c) of a layer
    gradients        (h, w, c), of the logit with respect to those activations
    logit            the logit itself, a number
    ablated_logits   () → (c,): the logit with each channel of the layer at zero in turn
    masked_logits    masks (h, w) → (n,): the logit of the image behind each mask; where a mask
                     is 0, the image is grey; masks are upsampled to the image
    image            (size, size, 3), preprocessed
    grey             a preprocessed grey pixel, (3,)
    input_gradients  (n, size, size, 3) → the same: of the logit, with respect to each image

Where one class is held against another, "the logit" is the difference of two. A method returns a
number for every channel (c,), or for every channel at every place (h, w, c), by which the
activations are weighted and added up; or it returns a map (h, w) outright.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array

MaskedLogits = Callable[[Iterable[Float32Array]], Float32Array]
InputGradients = Callable[[Float32Array], Float32Array]

# Occlusion: patches along a side of the image.
_PATCHES = 14
# Integrated gradients: steps of the integral; SmoothGrad: noisy copies, and their noise as a
# part of the range of the pixels (the paper's figures use 10 to 20%).
_STEPS = 32
_COPIES = 32
_NOISE = 0.15
# Single pixels stand out in maps of pixels; both papers draw them capped at this percentile.
_CAP = 99


def gradcam(activations: Float32Array, gradients: Float32Array) -> Float32Array:
    """Weight each channel by its mean gradient."""
    weights: Float32Array = gradients.mean(axis=(0, 1))  # (h, w, c) → (c,)
    return weights


def gradcam_plus_plus(activations: Float32Array, gradients: Float32Array) -> Float32Array:
    """Weight each channel by its positive gradients, by the closed form of equation 19."""
    total = activations.sum(axis=(0, 1))  # (h, w, c) → (c,)
    squared = gradients**2
    share = _divided(squared, 2 * squared + total * gradients * squared)
    weights: Float32Array = (share * np.maximum(gradients, 0)).sum(axis=(0, 1))  # → (c,)
    return weights


def xgradcam(activations: Float32Array, gradients: Float32Array) -> Float32Array:
    """Weight each channel by its gradients, each place as much as the channel is active there."""
    return _divided((gradients * activations).sum(axis=(0, 1)), activations.sum(axis=(0, 1)))


def hirescam(activations: Float32Array, gradients: Float32Array) -> Float32Array:
    """Weight each place of each channel by its own gradient."""
    return gradients


def layercam(activations: Float32Array, gradients: Float32Array) -> Float32Array:
    """Weight each place of each channel by its own gradient where that is positive."""
    return np.maximum(gradients, 0)


def eigencam(activations: Float32Array) -> Float32Array:
    """Project the channels on their first principal direction; it knows no class."""
    flat = activations.reshape(-1, activations.shape[-1])  # (h, w, c) → (h·w, c)
    direction: Float32Array = np.linalg.svd(flat, full_matrices=False)[2][0]
    # The sign of a singular vector is arbitrary: what is mostly active counts as positive.
    return direction if (flat @ direction).sum() >= 0 else -direction


def scorecam(activations: Float32Array, masked_logits: MaskedLogits) -> Float32Array:
    """Weight each channel by the logit of the image seen through it, all by a softmax.

    A channel that is the same everywhere is no mask and weighs nothing.
    """
    low, high = activations.min(axis=(0, 1)), activations.max(axis=(0, 1))
    varied = np.flatnonzero(high > low)
    weights = np.zeros(activations.shape[-1], np.float32)
    if len(varied):
        masks = ((activations[..., k] - low[k]) / (high[k] - low[k]) for k in varied)
        logits = masked_logits(masks)
        powers = np.exp(logits - logits.max())
        weights[varied] = powers / powers.sum()
    return weights


def ablationcam(logit: float, ablated_logits: Callable[[], Float32Array]) -> Float32Array:
    """Weight each channel by the part of the logit that is lost without it."""
    lost = np.float32(logit) - ablated_logits()
    return lost / np.float32(abs(logit) or 1)


def occlusion(image: Float32Array, logit: float, masked_logits: MaskedLogits) -> Float32Array:
    """Cover one square after the other; a patch counts the mean loss of the squares over it.

    A square is two by two patches and moves by one, also half over the edges.
    """
    size = image.shape[0]
    edges = np.rint(np.linspace(0, size, _PATCHES + 1)).astype(int)
    squares = [
        np.s_[max(0, row) : row + 2, max(0, column) : column + 2]
        for row in range(-1, _PATCHES)
        for column in range(-1, _PATCHES)
    ]
    patch_of = np.searchsorted(edges, np.arange(size), side="right") - 1  # of each pixel

    def mask(square: tuple[slice, slice]) -> Float32Array:
        shown = np.ones((_PATCHES, _PATCHES), np.float32)
        shown[square] = 0
        return shown[patch_of[:, np.newaxis], patch_of]  # (size, size)

    lost = np.float32(logit) - masked_logits(map(mask, squares))
    total, count = np.zeros((2, _PATCHES, _PATCHES), np.float32)
    for square, loss in zip(squares, lost, strict=True):
        total[square] += loss
        count[square] += 1
    return total / count


def integrated_gradients(
    image: Float32Array, grey: Float32Array, input_gradients: InputGradients
) -> Float32Array:
    """Add up the gradients on the straight way from a grey image to this one.

    By the midpoint rule. A pixel counts its channels' attributions where their sum is
    positive.
    """
    way = image - grey
    steps = (np.arange(_STEPS, dtype=np.float32) + 0.5) / _STEPS
    points = (grey + step * way for step in steps)
    mean = _sum_of_gradients(points, input_gradients) / _STEPS
    return _capped((mean * way).sum(axis=-1))  # (h, w, 3) → (h, w)


def smoothgrad(image: Float32Array, input_gradients: InputGradients) -> Float32Array:
    """Average the gradients of noisy copies; a pixel counts its channels' largest, unsigned."""
    noise = np.random.default_rng(0)
    deviation = np.float32(_NOISE * (image.max() - image.min()))
    copies = (
        image + deviation * noise.standard_normal(image.shape, np.float32) for _ in range(_COPIES)
    )
    mean = _sum_of_gradients(copies, input_gradients) / _COPIES
    return _capped(np.abs(mean).max(axis=-1))  # (h, w, 3) → (h, w)


def activation(activations: Float32Array) -> Float32Array:
    """Weight all channels alike: the plain mean of a layer; it knows no class."""
    channels = activations.shape[-1]
    return np.full(channels, 1 / channels, np.float32)


@dataclass(frozen=True)
class CamMethod:
    """One way to make a heatmap.

    Attributes:
        function: see the module's text.
        title: its name in prose.
        paper: where it was published.
    """

    function: Callable[..., Float32Array]
    title: str
    paper: str

    @property
    def needs(self) -> tuple[str, ...]:
        """What the function is to be given, by name."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def reads_layer(self) -> bool:
        """Whether it looks at the activations of a layer, or only at pixels."""
        return bool({"activations", "ablated_logits"} & set(self.needs))

    @property
    def knows_class(self) -> bool:
        """Whether the map depends on the class that is asked about."""
        return self.needs != ("activations",)

    @property
    def makes_areas(self) -> bool:
        """Whether the map is of areas, or of single pixels."""
        return "input_gradients" not in self.needs


CAM_METHODS: Mapping[str, CamMethod] = {
    "gradcam": CamMethod(gradcam, "Grad-CAM", "https://arxiv.org/abs/1610.02391"),
    "gradcam++": CamMethod(gradcam_plus_plus, "Grad-CAM++", "https://arxiv.org/abs/1710.11063"),
    "xgradcam": CamMethod(xgradcam, "XGrad-CAM", "https://arxiv.org/abs/2008.02312"),
    "hirescam": CamMethod(hirescam, "HiResCAM", "https://arxiv.org/abs/2011.08891"),
    "layercam": CamMethod(layercam, "LayerCAM", "https://doi.org/10.1109/TIP.2021.3089943"),
    "eigencam": CamMethod(eigencam, "Eigen-CAM", "https://arxiv.org/abs/2008.00299"),
    "scorecam": CamMethod(scorecam, "Score-CAM", "https://arxiv.org/abs/1910.01279"),
    "ablationcam": CamMethod(
        ablationcam, "Ablation-CAM", "https://doi.org/10.1109/WACV45572.2020.9093360"
    ),
    "occlusion": CamMethod(occlusion, "Occlusion", "https://arxiv.org/abs/1311.2901"),
    "integrated-gradients": CamMethod(
        integrated_gradients, "Integrated gradients", "https://arxiv.org/abs/1703.01365"
    ),
    "smoothgrad": CamMethod(smoothgrad, "SmoothGrad", "https://arxiv.org/abs/1706.03825"),
    "activation": CamMethod(activation, "Mean activation", "https://arxiv.org/abs/1311.2901"),
}
DEFAULT_METHOD = next(iter(CAM_METHODS))


def combine(result: Float32Array, activations: Float32Array | None) -> Float32Array:
    """Turn what a method returns into a CAM, float32 (h, w), 0 to 1.

    What is negative speaks against the class and is dropped; the greatest value becomes 1. A
    map without a positive value is zero everywhere.

    Args:
        result: (c,), (h, w, c) or (h, w); see the module's text.
        activations: (h, w, c); not used for a result (h, w).
    """
    if result.ndim != 2:
        if activations is None:
            raise ValueError("weights of channels need activations")
        result = (activations * result).sum(axis=-1)  # (h, w, c) → (h, w)
    positive = np.maximum(np.nan_to_num(result, posinf=0, neginf=0), 0)
    greatest = positive.max()
    return (positive / greatest if greatest > 0 else positive).astype(np.float32)


def _divided(numerator: Float32Array, denominator: Float32Array) -> Float32Array:
    """Divide, with 0 where there is nothing to divide by."""
    return np.divide(numerator, denominator, np.zeros_like(numerator), where=denominator != 0)


def _capped(values: Float32Array) -> Float32Array:
    cap = np.float32(np.percentile(values, _CAP))
    return np.minimum(values, cap) if cap > 0 else values


def _sum_of_gradients(
    images: Iterable[Float32Array], input_gradients: InputGradients
) -> Float32Array:
    total = np.zeros(1, np.float32)
    for image in images:
        total = total + input_gradients(image[np.newaxis])[0]
    return total

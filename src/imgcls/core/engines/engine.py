"""What runs a network: the protocol, and the words for its choices."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

from imgcls.core.arrays import Float32Array, Output

EngineName = Literal["auto", "litert", "openvino", "keras"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)

Precision = Literal["float32", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

# What "auto" chooses for where a run does not say how many images it has, or has more. So many,
# that VGG16's 7% outweigh the 2 s that OpenVINO opens it longer.
MANY_IMAGES = 5000


class Engine(Protocol):
    """What runs a network.

    Attributes:
        name: "litert", "openvino" or "keras".
        batch_size: how many images a call should hold for the best speed.
        one_by_one: whether an image's result is the same, to the last bit, in every batch.
        parallel: how many calls are worth making at once, from as many threads.
    """

    name: str
    batch_size: int
    one_by_one: bool
    parallel: int

    def run(self, batch: Float32Array, outputs: tuple[Output, ...]) -> list[Float32Array]:
        """Run the network on a preprocessed batch; safe to call from several threads.

        Args:
            batch: float32 (n, h, w, 3).
            outputs: which to return: "logits" (n, classes), "features" (n, d), "activations"
                (n, h, w, c) of the row's `cam_layer`.

        Returns:
            float32 arrays in the order asked for.
        """
        ...

    def classifier_kernel(self) -> Float32Array:
        """Return the kernel (d, classes) of the network's own linear classifier.

        Only for networks whose row says `linear_head`: features @ kernel + bias = logits.

        Raises:
            ModelError: the compiled model is damaged.
        """
        ...

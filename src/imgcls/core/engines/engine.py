"""What runs a network: the protocol, and the choice between its implementations."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from imgcls.core.errors import ModelError, UsageError
from imgcls.core.models.weights import Network
from imgcls.core.pixels.preprocessing import Float32Batch
from imgcls.core.pixels.sources import Source

if TYPE_CHECKING:
    from imgcls.core.engines.entries import CompiledModel

log = logging.getLogger("imgcls")

Float32Array = npt.NDArray[np.float32]
Output = Literal["logits", "features", "activations"]
OUTPUTS: tuple[Output, ...] = get_args(Output)

EngineName = Literal["auto", "litert", "openvino", "keras"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)

Precision = Literal["float32", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class Engine(Protocol):
    """What runs a network.

    Attributes:
        name: "litert", "openvino" or "keras".
        batch_size: how many images a call should hold for the best speed.
        parallel: how many calls are worth making at once, from as many threads.
    """

    name: str
    batch_size: int
    parallel: int

    def run(self, batch: Float32Batch, outputs: tuple[Output, ...]) -> list[Float32Array]:
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


def softmax(logits: Float32Array) -> Float32Array:
    """Turn logits (…, classes) into scores that add up to 1 along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scores: Float32Array = powers / powers.sum(axis=-1, keepdims=True)
    return scores


def open_engine(
    network: Network,
    engine: EngineName = "auto",
    threads: int = 1,
    precision: Precision = "float32",
    calibration: Iterable[Source] | None = None,
) -> Engine:
    """Open the engine that runs a network.

    Args:
        network: what to run.
        engine: "auto" takes LiteRT where it can run the network, else Keras; OpenVINO is taken
            only by name.
        threads: how many processor cores to use.
        precision: "int8" runs on LiteRT only.
        calibration: photos to make the int8 model with where there is none yet.

    Raises:
        ModelError: the engine named cannot run the network, or not at this precision.
        WeightsError: the weights do not fit.
    """
    if precision != "float32" and engine in ("keras", "openvino"):
        raise UsageError(f"--precision {precision} needs LiteRT; leave out --engine {engine}")
    if engine == "openvino" and importlib.util.find_spec("openvino") is None:
        raise ModelError("OpenVINO is the extra imgcls[openvino]; install it or leave out --engine")
    if engine != "keras":
        compiled = _compiled(network, precision, calibration)
        if not isinstance(compiled, str):
            if engine == "openvino":
                from imgcls.core.engines.openvino import OpenVINOEngine

                return OpenVINOEngine(compiled, threads)
            from imgcls.core.engines.litert import LiteRTEngine

            return LiteRTEngine(compiled, threads)
        if precision != "float32":
            raise ModelError(
                f"{network.name}: cannot run as {precision} ({compiled}); use --precision float32"
            )
        if engine != "auto":
            raise ModelError(
                f"{network.name}: cannot run on LiteRT ({compiled}); use --engine keras"
            )
        log.debug("%s runs on Keras: %s", network.name, compiled)
    from imgcls.core.engines.keras import KerasEngine

    return KerasEngine(network)


def _compiled(
    network: Network, precision: Precision, calibration: Iterable[Source] | None
) -> CompiledModel | str:
    """Return the compiled form of a network, or why there is none."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        return "ai-edge-litert is not installed"
    from imgcls.core.engines.compile import Unsupported, compiled_model

    compiled = compiled_model(network, precision, calibration)
    return compiled.reason if isinstance(compiled, Unsupported) else compiled

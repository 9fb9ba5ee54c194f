"""What runs a network: the protocol, and the choice between its two implementations."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from imgcls.core.errors import ModelError, UsageError
from imgcls.core.models.weights import Network
from imgcls.core.pixels.preprocessing import Float32Batch
from imgcls.core.pixels.sources import Source

log = logging.getLogger("imgcls")

Float32Array = npt.NDArray[np.float32]
Output = Literal["logits", "features", "activations"]
OUTPUTS: tuple[Output, ...] = get_args(Output)

EngineName = Literal["auto", "litert", "keras"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)

Precision = Literal["float32", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class Engine(Protocol):
    """What runs a network.

    Attributes:
        name: "litert" or "keras".
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
        engine: "auto" takes LiteRT where it can run the network, else Keras.
        threads: how many processor cores to use.
        precision: "int8" runs on LiteRT only.
        calibration: photos to make the int8 model with where there is none yet.

    Raises:
        ModelError: the engine named cannot run the network, or not at this precision.
        WeightsError: the weights do not fit.
    """
    if precision != "float32" and engine == "keras":
        raise UsageError(f"--precision {precision} needs LiteRT; leave out --engine keras")
    if engine != "keras":
        reason = "ai-edge-litert is not installed"
        if importlib.util.find_spec("ai_edge_litert") is not None:
            from imgcls.core.engines.compile import Unsupported, compiled_model

            compiled = compiled_model(network, precision, calibration)
            if not isinstance(compiled, Unsupported):
                from imgcls.core.engines.litert import LiteRTEngine

                return LiteRTEngine(compiled, threads)
            reason = compiled.reason
        if precision != "float32":
            raise ModelError(
                f"{network.name}: cannot run as {precision} ({reason}); use --precision float32"
            )
        if engine == "litert":
            raise ModelError(f"{network.name}: cannot run on LiteRT ({reason}); use --engine keras")
        log.debug("%s runs on Keras: %s", network.name, reason)
    from imgcls.core.engines.keras import KerasEngine

    return KerasEngine(network)

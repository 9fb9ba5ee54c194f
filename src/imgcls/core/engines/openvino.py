"""OpenVINO: another way to run the compiled model, faster for large networks.

It reads the very file that LiteRT runs, so both compute the same network. It is an extra
(`imgcls[openvino]`) and opens several times slower: it is used where it is named, or was timed
and is done first all the same (`speeds.py`).
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcls.core.arrays import OUTPUTS, Float32Array, Output
from imgcls.core.engines.litert import IMAGES_A_CALL, output_name
from imgcls.core.telemetry import import_openvino

if TYPE_CHECKING:
    from imgcls.core.engines.compiled.folder import CompiledModel


class OpenVINOEngine:
    """Runs a compiled model, image by image, in as many streams as there are cores."""

    name = "openvino"
    batch_size = IMAGES_A_CALL
    one_by_one = True

    def __init__(
        self,
        compiled: CompiledModel,
        threads: int,
        kernel: Callable[[], Float32Array] | None = None,
    ) -> None:
        # The streams have threads of their own. Those that call them wait meanwhile, and decode
        # between two calls: with one more of them no stream waits for its next image.
        self.parallel = threads + 1
        self.compiled = compiled
        self._kernel = kernel or (lambda: compiled.kernel)
        core = import_openvino().Core()
        model = core.compile_model(
            core.read_model(compiled.path),
            "CPU",
            {
                "NUM_STREAMS": threads,
                "INFERENCE_NUM_THREADS": threads,
                # Each process would bind its first thread to the first core: two processes of one
                # thread each would share it.
                "ENABLE_CPU_PINNING": False,
                # Some processors would otherwise compute in bfloat16, which changes the scores.
                "INFERENCE_PRECISION_HINT": "f32",
            },
        )
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(self.parallel):
            request = model.create_infer_request()
            prepare_for_threads(request)
            self._idle.put(request)

    def run(self, batch: Float32Array, outputs: tuple[Output, ...]) -> list[Float32Array]:
        """Run the network; see `Engine.run`."""
        request = self._idle.get()
        try:
            images = [self._run_one(request, image[np.newaxis], outputs) for image in batch]
        finally:
            self._idle.put(request)
        return [np.concatenate(parts) for parts in zip(*images, strict=True)]

    def classifier_kernel(self) -> Float32Array:
        """Return the network's linear classifier; see `Engine.classifier_kernel`."""
        return self._kernel()

    @staticmethod
    def _run_one(
        request: Any, image: Float32Array, outputs: tuple[Output, ...]
    ) -> list[Float32Array]:
        request.infer({0: image})
        places = (OUTPUTS.index(output) for output in outputs)
        return [np.array(request.get_tensor(output_name(place)).data) for place in places]


def prepare_for_threads(request: Any) -> None:
    """Let OpenVINO's binding set up what it has of numpy, before threads use it.

    It does so with the first array, and lets go of Python's lock within: two threads that both
    bring their first one can wait for each other for ever.

    Args:
        request: an infer request of OpenVINO.
    """
    _ = request.get_input_tensor().data

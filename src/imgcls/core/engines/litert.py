"""LiteRT: how a compiled model runs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from imgcls.core.arrays import OUTPUTS, Float32Array, Output
from imgcls.core.quiet import native_lines_removed

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

    from imgcls.core.engines.compiled.folder import CompiledModel

# Each interpreter packs the weights anew; from this size on, one runs on all cores instead.
_LARGE_BYTES = 256 * 2**20
# Decoded, run and recorded together: 8 gave 9% over single ones, int8 18%, 16 no more.
IMAGES_A_CALL = 8


class LiteRTEngine:
    """Runs a compiled model, image by image, on as many interpreters as there are cores.

    One image at a time is as fast as a batch and needs less memory; two interpreters of one
    thread beat one of two. A call that holds some images is still the faster one, for all but
    the first find code and weights in the processor's caches; weights that fill no cache gain
    nothing by it. An interpreter is made when a call finds all others busy, so that a single
    image pays for one.
    """

    name = "litert"
    one_by_one = True

    def __init__(
        self,
        compiled: CompiledModel,
        threads: int,
        kernel: Callable[[], Float32Array] | None = None,
    ) -> None:
        # What reads the kernel of a linear classifier, and makes it anew where it is damaged.
        self._kernel = kernel or (lambda: compiled.kernel)
        large = compiled.lasting_path.stat().st_size >= _LARGE_BYTES
        self.parallel = 1 if large else threads
        self.batch_size = 1 if large else IMAGES_A_CALL
        self._path = str(compiled.lasting_path)
        self._threads = threads if large else 1
        self.compiled = compiled  # which holds the file open
        self._idle: queue.LifoQueue[_Runner] = queue.LifoQueue()
        self._growing = threading.Lock()
        self._made = 1
        # The XNNPACK delegate announces itself once a process, straight on file descriptor 2.
        # Later interpreters are made beside threads whose messages a redirection could lose.
        with native_lines_removed(b"INFO: Created TensorFlow Lite XNNPACK delegate"):
            self._idle.put(self._new_runner())

    def run(self, batch: Float32Array, outputs: tuple[Output, ...]) -> list[Float32Array]:
        """Run the network; see `Engine.run`."""
        runner = self._idle_runner()
        try:
            images = [runner.run(image[np.newaxis], outputs) for image in batch]
        finally:
            self._idle.put(runner)
        return [np.concatenate(parts) for parts in zip(*images, strict=True)]

    def _idle_runner(self) -> _Runner:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        with self._growing:
            grow = self._made < self.parallel
            self._made += grow
        return self._new_runner() if grow else self._idle.get()

    def _new_runner(self) -> _Runner:
        return _Runner(self._path, self._threads)

    def classifier_kernel(self) -> Float32Array:
        """Return the network's linear classifier; see `Engine.classifier_kernel`."""
        return self._kernel()


def output_name(position: int) -> str:
    """Return what the converter calls an output, by its place in `OUTPUTS`."""
    return f"Identity_{position}" if position else "Identity"


class _Runner:
    """One interpreter with the places of its tensors."""

    def __init__(self, path: str, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter: Interpreter = Interpreter(path, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        details = {tensor["name"]: tensor for tensor in self._interpreter.get_output_details()}
        self._outputs = {
            output: details[output_name(position)]["index"]
            for position, output in enumerate(OUTPUTS)
        }

    def run(self, image: Float32Array, outputs: tuple[Output, ...]) -> list[Float32Array]:
        self._interpreter.set_tensor(self._input, image)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(self._outputs[output]) for output in outputs]

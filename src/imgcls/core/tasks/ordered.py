"""Work done by threads, results in the order of the inputs, a bounded number in flight."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_ordered(
    function: Callable[[list[T]], list[R]], items: Iterable[T], *, workers: int, chunk: int = 1
) -> Iterator[R]:
    """Yield what `function` makes of `items`, in order, each as soon as all before it are done.

    Args:
        function: turns a chunk of items into as many results; called from threads.
        items: read lazily by a thread of its own, so a slow producer holds nothing back.
        workers: how many calls run at once. At most twice as many chunks are in flight.
        chunk: how many items a call gets.

    Raises:
        BaseException: what `items` or `function` raises, at its place in the order.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="imgcls")
    in_flight: queue.Queue[Future[list[R]] | None] = queue.Queue(maxsize=2 * workers)
    stopped = threading.Event()

    def feed() -> None:
        failure: Future[list[R]] | None = None
        try:
            stream = iter(items)
            while not stopped.is_set() and (part := list(islice(stream, chunk))):
                in_flight.put(pool.submit(function, part))
        except BaseException as error:  # carried to the consumer's thread and raised there
            failure = Future()
            failure.set_exception(error)
        if failure is not None:
            in_flight.put(failure)
        in_flight.put(None)

    threading.Thread(target=feed, daemon=True, name="imgcls-feed").start()
    try:
        while (future := in_flight.get()) is not None:
            yield from future.result()
    finally:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        while not in_flight.empty():  # the feeder may wait for room
            in_flight.get_nowait()

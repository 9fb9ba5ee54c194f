"""Work done by threads, results in the order of the inputs, a bounded number in flight."""

from __future__ import annotations

import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_ordered(
    function: Callable[[list[T]], list[R]],
    items: Iterable[T],
    *,
    workers: int,
    chunk: int = 1,
    eager: bool = False,
) -> Iterator[R]:
    """Yield what `function` makes of `items`, in order, each as soon as all before it are done.

    Args:
        function: turns a chunk of items into as many results; called from threads.
        items: read lazily by a thread of its own, so a slow producer holds nothing back.
        workers: how many calls run at once. At most twice as many chunks are in flight.
        chunk: how many items a call gets.
        eager: a call gets fewer where no more wait, or where another worker would then have
            none: no item waits for a later one to come, and the last ones are shared out.

    Raises:
        BaseException: what `items` or `function` raises, at its place in the order.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="imgcls")
    in_flight: queue.SimpleQueue[Future[R] | None] = queue.SimpleQueue()
    room = threading.Semaphore(2 * workers * chunk)  # for more in flight
    waiting: deque[tuple[T, Future[R]]] = deque()
    at_work = 0
    handing = threading.Lock()  # for `waiting` and `at_work`
    stopped = threading.Event()

    def feed() -> None:
        nonlocal at_work
        failure: Future[R] | None = None
        try:
            stream = iter(items)
            while not stopped.is_set() and (part := list(islice(stream, 1 if eager else chunk))):
                futures: list[Future[R]] = [Future() for _ in part]
                for future in futures:
                    room.acquire()
                    in_flight.put(future)
                    if stopped.is_set():
                        return
                with handing:
                    waiting.extend(zip(part, futures, strict=True))
                    if at_work < workers:
                        at_work += 1
                        pool.submit(work)
        except BaseException as error:  # carried to the consumer's thread and raised there
            failure = Future()
            failure.set_exception(error)
        if failure is not None:
            in_flight.put(failure)
        in_flight.put(None)

    def work() -> None:
        while part := take():
            do(part)

    def take() -> list[tuple[T, Future[R]]]:
        """Return the next chunk; where none is left, the worker that asks ends."""
        nonlocal at_work
        with handing:
            share = math.ceil(len(waiting) / workers) if eager else chunk
            count = 0 if stopped.is_set() else min(share, chunk, len(waiting))
            at_work -= count == 0
            return [waiting.popleft() for _ in range(count)]

    def do(part: list[tuple[T, Future[R]]]) -> None:
        try:
            results = function([item for item, _ in part])
            done = list(zip(part, results, strict=True))
        except BaseException as error:  # as above
            for _, future in part:
                future.set_exception(error)
        else:
            for (_, future), result in done:
                future.set_result(result)

    threading.Thread(target=feed, daemon=True, name="imgcls-feed").start()
    try:
        while (future := in_flight.get()) is not None:
            room.release()
            yield future.result()
    finally:
        stopped.set()
        room.release()  # the feeder may wait for it
        pool.shutdown(wait=False, cancel_futures=True)

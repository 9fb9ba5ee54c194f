"""Work done by threads, results in the order of the inputs, a bounded number in flight."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

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
    # For all that follows. One that a thread may take twice: where garbage is collected within
    # it, another such iterator may come to its end.
    lock = threading.RLock()
    room, ready = threading.Condition(lock), threading.Condition(lock)
    in_flight: deque[_Job] = deque()
    waiting: deque[_Job] = deque()
    at_work = 0
    ended = stopped = False

    def feed() -> None:
        nonlocal ended
        last = []
        try:
            stream = iter(items)
            while (part := list(islice(stream, 1 if eager else chunk))) and hand_in(part):
                pass
        except BaseException as error:  # carried to the consumer's thread and raised there
            last = [_Job(error=error)]
        with lock:
            ended = True
            in_flight.extend(last)
            ready.notify()

    def hand_in(part: list[T]) -> bool:
        """Let the workers have some more items, once there is room; False if none are wanted."""
        nonlocal at_work
        with lock:
            while not stopped and len(in_flight) + len(part) > 2 * workers * chunk:
                room.wait()
            if stopped:
                return False
            jobs = [_Job(item) for item in part]
            in_flight.extend(jobs)
            waiting.extend(jobs)
            if at_work < workers:
                at_work += 1
                pool.submit(work)
        return True

    def work() -> None:
        while part := take():
            do(part)

    def take() -> list[_Job]:
        """Return the next chunk; where none is left, the worker that asks ends."""
        nonlocal at_work
        with lock:
            share = math.ceil(len(waiting) / workers) if eager else chunk
            count = 0 if stopped else min(share, chunk, len(waiting))
            at_work -= count == 0
            return [waiting.popleft() for _ in range(count)]

    def do(part: list[_Job]) -> None:
        try:
            done = zip(part, function([job.item for job in part]), strict=True)
            for job, result in done:
                job.result = result
        except BaseException as error:  # as above
            for job in part:
                job.error = error
        with lock:  # all at once, so that the consumer wakes once
            for job in part:
                job.done = True
            if in_flight and in_flight[0].done:
                ready.notify()

    def next_done() -> list[_Job]:
        """Wait for the first in flight; return as many as are done, up to a chunk."""
        with lock:
            while not (in_flight[0].done if in_flight else ended):
                ready.wait()
            done: list[_Job] = []
            while in_flight and in_flight[0].done and len(done) < chunk:
                done.append(in_flight.popleft())
            room.notify()
            return done

    threading.Thread(target=feed, daemon=True, name="imgcls-feed").start()
    try:
        while done := next_done():
            for job in done:
                if job.error is not None:
                    raise job.error
                yield job.result
    finally:
        with lock:
            stopped = True
            room.notify()
        pool.shutdown(wait=False, cancel_futures=True)


class _Job:
    """An item, and what became of it."""

    __slots__ = ("done", "error", "item", "result")

    def __init__(self, item: Any = None, error: BaseException | None = None) -> None:
        self.item, self.error = item, error
        self.result: Any = None
        self.done = error is not None

"""Work in threads, results in order: what is bounded, what is shared out, what is raised where."""

from __future__ import annotations

import gc
import itertools
import queue
import threading
import time
from collections.abc import Iterator

import pytest

from imgcls.core.parallel import _Job, map_ordered


def squares(chunk: list[int]) -> list[int]:
    return [number * number for number in chunk]


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("chunk", [1, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_results_are_in_order(count: int, chunk: int, eager: bool) -> None:
    found = map_ordered(squares, range(count), workers=3, chunk=chunk, eager=eager)
    assert list(found) == [number * number for number in range(count)]


def test_every_call_but_the_last_gets_a_whole_chunk() -> None:
    sizes: queue.Queue[int] = queue.Queue()

    def note(chunk: list[int]) -> list[int]:
        sizes.put(len(chunk))
        return chunk

    assert len(list(map_ordered(note, range(35), workers=2, chunk=8))) == 35
    assert sorted(sizes.queue) == [3, 8, 8, 8, 8]


def test_eager_waits_for_no_later_item() -> None:
    gate: queue.Queue[int | None] = queue.Queue()
    found = map_ordered(squares, iter(gate.get, None), workers=2, chunk=8, eager=True)
    for number in range(20):  # each is there before the next one is handed in
        gate.put(number)
        assert next(found) == number * number
    gate.put(None)
    assert list(found) == []


def test_eager_shares_the_last_items_out() -> None:
    together = threading.Barrier(2, timeout=30)

    def meet(chunk: list[int]) -> list[int]:
        together.wait()  # passes only when both workers have something
        return chunk

    assert list(map_ordered(meet, range(2), workers=2, chunk=8, eager=True)) == [0, 1]


@pytest.mark.parametrize("eager", [False, True])
def test_a_bounded_number_is_in_flight(eager: bool) -> None:
    taken = itertools.count()
    found = map_ordered(squares, taken, workers=2, chunk=4, eager=eager)
    for _ in range(100):
        next(found)
    found.close()  # type: ignore[attr-defined]
    # 100 done, 16 in flight, and what the feeder holds in its hand, before and after the end.
    assert next(taken) <= 100 + 16 + 2 * 4


def test_nothing_piles_up_behind_slow_calls() -> None:
    def slow(chunk: list[int]) -> list[int]:
        time.sleep(0.001)  # so that the feeder is always ahead
        return chunk

    for number in map_ordered(slow, range(4000), workers=2, chunk=8, eager=True):
        if number % 500 == 499:
            held = sum(isinstance(thing, _Job) for thing in gc.get_objects())
            # One an item in flight, and those that a worker, the feeder and this loop still hold.
            assert 0 < held <= 2 * 2 * 8 + 2 * 8 + 4


@pytest.mark.parametrize("eager", [False, True])
def test_what_the_items_raise_comes_after_those_before_it(eager: bool) -> None:
    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        raise OSError("the list ends here")

    found = map_ordered(squares, items(), workers=2, eager=eager)
    assert list(itertools.islice(found, 3)) == [1, 4, 9]
    with pytest.raises(OSError, match="the list ends here"):
        next(found)


@pytest.mark.parametrize("eager", [False, True])
def test_what_the_function_raises_comes_in_its_place(eager: bool) -> None:
    def refuse(chunk: list[int]) -> list[int]:
        if 5 in chunk:
            raise ValueError("not five")
        return chunk

    found = map_ordered(refuse, range(100), workers=2, eager=eager)
    assert list(itertools.islice(found, 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="not five"):
        next(found)


def test_too_few_results_are_an_error_and_no_endless_wait() -> None:
    with pytest.raises(ValueError, match="shorter"):
        list(map_ordered(lambda chunk: chunk[1:], range(10), workers=2, chunk=2))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("chunk", [1, 4])
def test_the_feeding_thread_ends_when_the_results_are_no_longer_wanted(
    workers: int, chunk: int
) -> None:
    for _ in range(50):
        before = set(threading.enumerate())
        found = map_ordered(squares, itertools.count(), workers=workers, chunk=chunk)
        assert next(found) == 0
        found.close()  # type: ignore[attr-defined]
        for thread in set(threading.enumerate()) - before:
            thread.join(timeout=10)
            assert not thread.is_alive()

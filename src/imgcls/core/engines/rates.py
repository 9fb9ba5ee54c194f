"""How many images a second open engines make."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.engine import Engine

# The best of so many rounds counts, in which the engines take turns: other work on the machine
# slows one round or another.
_ROUNDS = 5
# A large network takes some seconds an image on an old processor.
_LEAST_ROUNDS = 2
_LONGEST = 2.0  # seconds, after which no round is begun


def best_rates(
    engines: Mapping[str, Engine],
    cores: int,
    batch: Callable[[], Float32Array],
    *,
    seconds: float = 0.1,
) -> dict[str, float]:
    """Return how many images a second each engine makes of so many cores, at its best.

    Args:
        engines: name → engine; they take turns.
        cores: how many they were opened for.
        batch: makes the input of a run, float32 (1, h, w, 3); its time counts.
        seconds: how long each runs in a round.
    """
    rates = dict.fromkeys(engines, 0.0)
    started = time.perf_counter()
    for engine in engines.values():
        engine.run(batch(), ("logits",))  # the first run prepares the weights
    for number in range(_ROUNDS):
        if number >= _LEAST_ROUNDS and time.perf_counter() - started > _LONGEST:
            break
        for name, engine in engines.items():
            rates[name] = max(rates[name], _images_per_second(engine, cores, batch, seconds))
    return rates


def _images_per_second(
    engine: Engine, cores: int, batch: Callable[[], Float32Array], seconds: float
) -> float:
    """Return how many images an engine makes of so many cores, called from as many threads.

    The processor's time is counted, not the clock's: other work on the machine changes it least.
    Windows counts it in steps of 16 ms, too coarse for this.
    """
    callers = max(cores, engine.parallel)

    def work(_: int) -> int:
        done = 0
        while done == 0 or time.perf_counter() < deadline:
            engine.run(batch(), ("logits",))
            done += 1
        return done

    with ThreadPoolExecutor(callers) as pool:
        busy, started = time.process_time(), time.perf_counter()
        deadline = started + seconds
        done = sum(pool.map(work, range(callers)))
        if sys.platform == "win32":
            return done / (time.perf_counter() - started)
        return done * cores / (time.process_time() - busy)

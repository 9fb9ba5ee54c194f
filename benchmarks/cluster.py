"""What a cluster costs and gains: the same photos by one process, and by Ray with 1 and 2 workers.

`python benchmarks/cluster.py` prints the table of docs/scaling.md; it takes some minutes, on Linux.
Ray runs on this machine, so both have the same cores; a worker has one. The photos are hard links.
The start is the time of as many photos as there are workers, a part each. Beyond it, what counts is
the clock where the machine does nothing else; seconds of the processor say about the same while it
does other things, too. They are those of all processes: the command, the workers, and Ray's own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import SAMPLES, imgcls, multiplied, process

_TICKS = os.sysconf("SC_CLK_TCK")  # a second, in /proc
_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        seconds: of the clock.
        cpu: of the processors, for it and all processes below it.
    """

    seconds: float
    cpu: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.seconds - other.seconds, self.cpu - other.cpu)


@dataclass(frozen=True)
class Pair:
    """The same photos by one process and on Ray: the start, and what comes on top."""

    one_start: Cost
    one: Cost
    ray_start: Cost
    ray: Cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="pairs to measure")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = multiplied(folder / "photos", options.images)
        process(imgcls("predict", SAMPLES / "cat.jpg"))  # compiles, once
        print(f"{options.images} photos, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        print(
            "| workers | start, one process | on Ray | images/s, one process | on Ray | overhead "
            "by the clock | processor, one process | on Ray | overhead |\n"
            "|---|---|---|---|---|---|---|---|---|"
        )
        for workers in options.workers:
            few = multiplied(folder / f"few-{workers}", workers)
            # In turn, so that what else the machine does meets both.
            pairs = [_pair(folder, few, photos, workers) for _ in range(options.rounds)]
            print(_row(workers, options.images - workers, pairs), flush=True)


def _pair(folder: Path, few: Path, photos: Path, workers: int) -> Pair:
    common = ("--workers", str(workers), "-f", "jsonl", "-o")
    costs = []
    for number, where in enumerate(((), ("--cluster", "local"))):
        parts = ("--part-size", "1") if where else ()
        with tempfile.TemporaryDirectory(dir=folder) as out:
            results = Path(out, "start"), Path(out, "all")
            start = _run(imgcls("-q", "predict", few, *where, *parts, *common, results[0]))
            costs += [start, _run(imgcls("-q", "predict", photos, *where, *common, results[1]))]
        costs[-1] -= costs[2 * number]
    pair = Pair(*costs)
    print(f"{workers} workers: {pair}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return pair


def _row(workers: int, count: int, pairs: Sequence[Pair]) -> str:
    """Return the medians as a row; overheads are those of pairs."""
    middle = statistics.median
    clock = middle(pair.ray.seconds / pair.one.seconds - 1 for pair in pairs)
    cpu = middle(pair.ray.cpu / pair.one.cpu - 1 for pair in pairs)
    return (
        f"| {workers} | {middle(pair.one_start.seconds for pair in pairs):.1f} s "
        f"| {middle(pair.ray_start.seconds for pair in pairs):.1f} s "
        f"| {middle(count / pair.one.seconds for pair in pairs):.0f} "
        f"| {middle(count / pair.ray.seconds for pair in pairs):.0f} | {clock:+.0%} "
        f"| {middle(1000 * pair.one.cpu / count for pair in pairs):.1f} ms a photo "
        f"| {middle(1000 * pair.ray.cpu / count for pair in pairs):.1f} ms | {cpu:+.0%} |"
    )


def _run(command: Sequence[str]) -> Cost:
    """Run a command to its end, and look again and again at what the processes below it took."""
    cpu: dict[int, float] = {}
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            child.wait(_SAMPLE_SECONDS)
            break
        except subprocess.TimeoutExpired:
            cpu |= _seconds_below(child.pid)
    seconds = time.perf_counter() - started
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {child.returncode}")
    return Cost(seconds, sum(cpu.values()))


def _seconds_below(root: int) -> dict[int, float]:
    """Return what a process and each below it took of the processors so far."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        seconds[pid] = (int(fields[11]) + int(fields[12])) / _TICKS

    def is_below(pid: int) -> bool:
        while pid and pid != root:
            pid = parents.get(pid, 0)
        return pid == root

    return {pid: taken for pid, taken in seconds.items() if is_below(pid)}


if __name__ == "__main__":
    main()

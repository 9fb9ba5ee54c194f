"""What a cluster costs and gains: the same photos by one process, and by Ray with 1 and 2 workers.

`python benchmarks/cluster.py` prints the table of docs/scaling.md; it takes some minutes. Ray runs
on this machine, so both have the same cores; a worker has one. The photos are hard links. "Start"
is the time of one photo. Seconds of the processor are those of the one process, and of the workers
on Ray: unlike those of the clock, they say the same while the machine does other things, too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measure import SAMPLES, imgcls, multiplied, process


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        seconds: of the clock, for all photos.
        start: of the clock, for one photo.
        cpu: seconds of the processor beyond the start.
    """

    seconds: float
    start: float
    cpu: float


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
            "| workers | one process | on Ray | its start | images/s | images/s on Ray "
            "| processor, one process | on Ray | overhead |\n|---|---|---|---|---|---|---|---|---|"
        )
        for workers in options.workers:
            print(_row(folder, photos, options.images, options.rounds, workers), flush=True)


def _row(folder: Path, photos: Path, count: int, rounds: int, workers: int) -> str:
    """Measure pairs in turn, so that what else the machine does meets both."""
    pairs = []
    for number in range(rounds):
        out = folder / f"{workers}-{number}"
        common = ("--workers", str(workers), "-f", "jsonl", "-o")
        alone = [
            process(imgcls("-q", "predict", what, *common, f"{out}-{what.name}.jsonl"))
            for what in (photos, SAMPLES / "cat.jpg")
        ]
        on_ray = [
            process(imgcls("-q", "predict", what, "--cluster", "local", *common, out / what.name))
            for what in (photos, SAMPLES / "cat.jpg")
        ]
        summary = json.loads((out / photos.name / "_summary.json").read_text())
        pair = (
            Cost(alone[0].seconds, alone[1].seconds, alone[0].cpu_seconds - alone[1].cpu_seconds),
            Cost(on_ray[0].seconds, on_ray[1].seconds, summary["worker_cpu_seconds"]),
        )
        print(f"{workers} workers: {pair}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        pairs.append(pair)
    alone_costs, ray_costs = zip(*pairs, strict=True)
    one, ray = _medians(alone_costs), _medians(ray_costs)
    overheads = [ray.cpu / one.cpu - 1 for one, ray in pairs]
    return (
        f"| {workers} | {one.seconds:.1f} s | {ray.seconds:.1f} s | {ray.start:.1f} s "
        f"| {count / (one.seconds - one.start):.0f} | {count / (ray.seconds - ray.start):.0f} "
        f"| {1000 * one.cpu / count:.1f} ms a photo | {1000 * ray.cpu / count:.1f} ms "
        f"| {statistics.median(overheads):+.0%} |"
    )


def _medians(costs: tuple[Cost, ...]) -> Cost:
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.start for cost in costs),
        statistics.median(cost.cpu for cost in costs),
    )


if __name__ == "__main__":
    main()

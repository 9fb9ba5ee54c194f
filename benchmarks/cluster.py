"""What a cluster costs and gains: the same photos by one process, and by Ray with 1 and 2 workers.

`python benchmarks/cluster.py` prints the table of docs/scaling.md; it takes some minutes. Ray runs
on this machine, so both have the same cores; a worker has one. The photos are hard links. "Start"
is the time of one photo; what is left of the others without it is what grows with their number.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from measure import SAMPLES, imgcls, multiplied, process

_WORKERS = (2, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="pairs to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = multiplied(folder / "photos", options.images)
        process(imgcls("predict", SAMPLES / "cat.jpg"))  # compiles, once
        print(f"{options.images} photos, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        print(
            "| workers | one process | its start | on Ray | its start | images/s | images/s on Ray "
            "| overhead beyond the start |\n|---|---|---|---|---|---|---|---|"
        )
        for workers in _WORKERS:
            print(_row(folder, photos, options.images, options.rounds, workers), flush=True)


def _row(folder: Path, photos: Path, count: int, rounds: int, workers: int) -> str:
    """Measure pairs in turn, so that what else the machine does meets both."""
    runs: list[tuple[float, float, float, float]] = []
    for number in range(rounds):
        out = folder / f"{workers}-{number}"
        both = []
        for what in (photos, SAMPLES / "cat.jpg"):
            alone = imgcls("-q", "predict", what, "-o", f"{out}-{what.name}.jsonl")
            on_ray = imgcls("-q", "predict", what, "-o", f"{out}-{what.name}", "-f", "jsonl")
            common = ("--workers", str(workers))
            both.append(process([*alone, *common]).seconds)
            both.append(process([*on_ray, *common, "--cluster", "local"]).seconds)
        runs.append((both[0], both[2], both[1], both[3]))
        print(f"{workers} workers: {both}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    alone_all, alone_start, ray_all, ray_start = map(statistics.median, zip(*runs, strict=True))
    overheads = [(ray - ray_one) / (one - one_one) - 1 for one, one_one, ray, ray_one in runs]
    return (
        f"| {workers} | {alone_all:.1f} s | {alone_start:.1f} s | {ray_all:.1f} s "
        f"| {ray_start:.1f} s | {count / (alone_all - alone_start):.0f} "
        f"| {count / (ray_all - ray_start):.0f} | {statistics.median(overheads):+.0%} "
        f"({', '.join(f'{one:+.0%}' for one in overheads)}) |"
    )


if __name__ == "__main__":
    main()

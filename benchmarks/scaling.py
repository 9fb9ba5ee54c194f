"""Images per second and memory against how many images there are, how large, and how many workers.

`python benchmarks/scaling.py` prints the tables of docs/performance.md and draws their plot; 10⁵
images take some minutes. The photos are hard links to the sample images.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from measure import SAMPLES, caption, imgcls, multiplied, process
from PIL import Image

from imgcls.core.engines.engine import Precision
from imgcls.core.models.table import DEFAULT_MODEL

_MEGAPIXELS = (0.2, 2.0, 12.0, 48.0)
_ROUNDS = 3
_FEW = 100  # photos of a folder that the bound is measured on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--up-to", type=int, default=100_000, help="the most images")
    parser.add_argument("--plot", type=Path, help="draw the curves into this PNG")
    options = parser.parse_args()
    print(f"{caption()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process(imgcls("predict", SAMPLES / "cat.jpg"))  # compiles, once
        counts = _counts(folder, options.up_to)
        sizes = _sizes(folder)
        workers = _workers(folder)
    if options.plot:
        _draw(options.plot, counts, sizes, workers)


def _counts(folder: Path, up_to: int) -> dict[float, float]:
    print(
        "| images | images/s | the bound | of it | peak memory | first record |\n"
        "|---|---|---|---|---|---|"
    )
    speeds: dict[float, float] = {}
    count = 100
    while count <= up_to:
        photos = multiplied(folder / f"n{count}", count)
        command = imgcls("-q", "predict", photos, "-f", "jsonl")
        bounds, runs = [native_bound()], []
        for _ in range(_ROUNDS if count < 100_000 else 1):
            runs.append(process(command, keep=False))
            bounds.append(native_bound())
        speeds[count] = statistics.median(count / run.seconds for run in runs)
        # Each run against the bound measured just before and just after it.
        shares = [
            2 * count / run.seconds / sum(around)
            for run, around in zip(runs, itertools.pairwise(bounds), strict=True)
        ]
        memory = statistics.median(run.megabytes for run in runs)
        first = statistics.median(run.first_byte for run in runs)
        print(
            f"| {count} | {speeds[count]:.0f} | {statistics.median(bounds):.0f} "
            f"| {statistics.median(shares):.0%} | {memory:.0f} MB | {first:.2f} s |",
            flush=True,
        )
        count *= 10
    return speeds


def _sizes(folder: Path) -> dict[float, float]:
    print("\n| megapixels | images/s | peak memory |\n|---|---|---|")
    speeds = {}
    spawning = multiprocessing.get_context("spawn")
    for megapixels in _MEGAPIXELS:
        photos = folder / f"mp{megapixels}"
        photos.mkdir()
        # In a process of its own: the peak memory of those started here would begin with it.
        maker = spawning.Process(target=_photo, args=(photos / "0000.jpg", megapixels))
        maker.start()
        maker.join()
        count = int(min(400, 2000 / megapixels))
        for number in range(1, count):
            os.link(photos / "0000.jpg", photos / f"{number:04}.jpg")
        run = process(imgcls("-q", "predict", photos, "-f", "jsonl"), keep=False)
        speeds[megapixels] = count / run.seconds
        print(f"| {megapixels:g} | {speeds[megapixels]:.0f} | {run.megabytes:.0f} MB |")
    return speeds


def _photo(path: Path, megapixels: float) -> None:
    """Write the palace, 4:3, as a JPEG of so many megapixels."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    with Image.open(SAMPLES / "palace.jpg") as photo:
        photo.resize((height * 4 // 3, height), Image.Resampling.LANCZOS).save(path, quality=90)


def _workers(folder: Path) -> dict[float, float]:
    print("\n| workers | images/s |\n|---|---|")
    photos = multiplied(folder / "workers", 1000)
    measured: dict[float, list[float]] = {}
    for _ in range(_ROUNDS):
        for workers in sorted({1, 2, 4, os.cpu_count() or 1}):
            command = imgcls("-q", "predict", photos, "-f", "jsonl", "--workers", str(workers))
            speed = 1000 / process(command, keep=False).seconds
            measured.setdefault(workers, []).append(speed)
    speeds = {workers: statistics.median(found) for workers, found in measured.items()}
    for workers, speed in speeds.items():
        print(f"| {workers} | {speed:.0f} |")
    return speeds


def native_bound(
    repeats: int = 40,
    precision: Precision = "float32",
    photos: Sequence[Path] = (),
    model: str = DEFAULT_MODEL,
) -> float:
    """Return the images/s of decode, resize and inference with next to no Python between.

    A process a core runs each of the three in a loop of its own over some photos.

    Args:
        repeats: how many times over the sample images.
        precision: of the network.
        photos: instead of the sample images; the first hundred, once.
        model: the network.
    """
    cores = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    with context.Pool(cores) as pool:
        stages = functools.partial(_stage_seconds, model, precision, list(photos[:_FEW]))
        pool.map(stages, [1] * cores)  # all processes are up and warm
        seconds = pool.map(stages, [1 if photos else repeats] * cores)
    return sum(1 / second for second in seconds)


def _stage_seconds(model: str, precision: Precision, photos: list[Path], repeats: int) -> float:
    """Return the seconds an image takes in the three stages."""
    # Here, in a process of its own: what this one has imported would count as memory of others.
    from imgcls import load_model
    from imgcls.core.pixels.images import open_image

    opened = load_model(model, threads=1, precision=precision)
    preprocessing = opened.preprocessing
    contents = [path.read_bytes() for path in photos or sorted(SAMPLES.glob("*.jpg"))]
    images = [open_image(content, preprocessing.least_size).image for content in contents]
    batch = preprocessing.scale(preprocessing.fit(images[0]))[None]
    started = time.perf_counter()
    for _ in range(repeats):
        for content in contents:
            open_image(content, preprocessing.least_size)
        for image in images:
            preprocessing.fit(image)
        for _ in contents:
            opened.logits(batch)
    return (time.perf_counter() - started) / repeats / len(contents)


def _draw(path: Path, *curves: dict[float, float]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    names = ("images", "megapixels an image", "workers")
    for axis, curve, name in zip(axes, curves, names, strict=True):
        axis.plot(list(curve), list(curve.values()), "o-")
        axis.set(xlabel=name, ylabel="images/s", ylim=(0, 1.1 * max(curve.values())))
        if name == "workers":
            axis.set_xticks(list(curve))
        else:
            axis.set_xscale("log")
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()

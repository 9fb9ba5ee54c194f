"""Heatmaps: `imgcls heatmap` against `keras_gradcam.py`, both as whole processes.

python benchmarks/heatmap.py
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "sample_images" / "cat.jpg"
SCRIPT = ROOT / "benchmarks" / "keras_gradcam.py"

# Each is run this often, in turns, and the median counts.
TURNS = 3
COPIES = 20  # of each sample photo, in the folder


def rows() -> Iterator[tuple[str, str, str, float]]:
    """Yield (name, ours, usual, how many times faster)."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        ours = [sys.executable, "-m", "imgcls", "-q", "heatmap"]
        run([*ours, str(PHOTO), "-o", str(out / "warm.png")])  # compiles the model
        cold = [
            (
                run([*ours, str(PHOTO), "-o", str(out / "ours.png")])[0],
                run([sys.executable, str(SCRIPT), str(out), str(PHOTO)])[0],
            )
            for _ in range(TURNS)
        ]
        seconds, usual_seconds = (statistics.median(column) for column in zip(*cold, strict=True))
        yield (
            "heatmap of one photo, cold",
            f"{seconds:.2f} s",
            f"{usual_seconds:.2f} s",
            usual_seconds / seconds,
        )
        photos = copy_photos(out / "photos")
        speeds = []
        for _ in range(TURNS):
            whole, _ = run([*ours, str(out / "photos"), "-o", str(out / "ours")])
            (out / "usual").mkdir(exist_ok=True)
            _, said = run([sys.executable, str(SCRIPT), str(out / "usual"), *photos[:41]])
            loop = json.loads(said)
            speeds.append((len(photos) / whole, loop["photos"] / loop["seconds"]))
        speed, usual_speed = (statistics.median(column) for column in zip(*speeds, strict=True))
        yield (
            f"heatmaps of {len(photos)} photos, start included",
            f"{speed:.0f}/s",
            f"{usual_speed:.1f}/s, after warm-up",
            speed / usual_speed,
        )


def copy_photos(folder: Path) -> list[str]:
    folder.mkdir()
    for photo in sorted((ROOT / "sample_images").glob("*.jpg")):
        for number in range(COPIES):
            shutil.copy(photo, folder / f"{number}-{photo.name}")
    return [str(path) for path in sorted(folder.iterdir())]


def run(command: list[str]) -> tuple[float, str]:
    """Run a command; return its seconds and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, done.stdout


if __name__ == "__main__":
    for name, ours, usual, ratio in rows():
        print(f"{name}: {ours}, Keras {usual}: {ratio:.1f} times")

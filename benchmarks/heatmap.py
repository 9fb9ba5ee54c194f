"""`heatmap` against `keras_gradcam.py`, the usual recipe, on the same model."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import SAMPLES, Row, compared, imgcls, in_turn, multiplied, process, script, seconds
from scaling import native_bound
from start import FLOOR, compiled_file

_PHOTOS = 200
_USUAL_PHOTOS = 41


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows: one photo as a whole process, and a folder.

    The bound is what `predict` has: nothing is drawn and written in it.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cat, out = SAMPLES / "cat.jpg", folder / "usual"
        out.mkdir()
        ours = imgcls("-q", "heatmap", cat, "-o", folder / "cat.png")
        usual = script("keras_gradcam.py", out, cat)
        process(ours)  # compiles, once
        floor = [sys.executable, "-c", FLOOR, str(compiled_file())]
        ways = {"ours": seconds(ours), "usual": seconds(usual), "bound": seconds(floor)}
        what = "heatmap of one photo, whole process"
        yield compared(what, in_turn(ways, runs), lambda cost: f"{cost:.2f} s", 12)
        yield _folder(photos or multiplied(folder / "photos", _PHOTOS), folder, runs)


def _folder(photos: Path, out: Path, runs: int) -> Row:
    names = sorted(photos.iterdir())

    def ours() -> float:
        command = imgcls("-q", "heatmap", photos, "-o", out / "ours")
        return process(command).seconds / len(names)

    def usual() -> float:
        output = process(script("keras_gradcam.py", out / "usual", *names[:_USUAL_PHOTOS])).output
        said = json.loads(output)
        return float(said["seconds"]) / float(said["photos"])

    ways = {"ours": ours, "usual": usual, "bound": lambda: 1 / native_bound(photos=names)}
    what = f"heatmaps of {len(names)} photos (usual: the loop after its warm-up)"
    return compared(what, in_turn(ways, runs), lambda cost: f"{1 / cost:.0f}/s", 10)

"""`heatmap` against `keras_gradcam.py`, the usual recipe, on the same model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import SAMPLES, Row, imgcls, multiplied, paired, process, script

_PHOTOS = 200
_USUAL_PHOTOS = 41


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows: one photo as a whole process, and a folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cat, out = SAMPLES / "cat.jpg", folder / "usual"
        out.mkdir()
        ours = imgcls("-q", "heatmap", cat, "-o", folder / "cat.png")
        usual = script("keras_gradcam.py", out, cat)
        process(ours)  # compiles, once
        pair = paired(lambda: process(ours).seconds, lambda: process(usual).seconds, runs)
        seconds = (f"{cost:.2f} s" for cost in (pair.ours, pair.usual))
        yield Row("heatmap of one photo, whole process", *seconds, pair.ratio, 12)
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

    pair = paired(ours, usual, runs)
    speeds = (f"{1 / cost:.0f}/s" for cost in (pair.ours, pair.usual))
    what = f"heatmaps of {len(names)} photos (usual: the loop after its warm-up)"
    return Row(what, *speeds, pair.ratio, 10)

"""`imgcls heatmap` against a GradientTape script, `keras_gradcam.py`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from measure import SAMPLES, Row, imgcls, multiplied, paired, process, script

from imgcls.core.pixels.sources import walk

_PHOTOS = 100
# The script's loop is timed over this many after its first.
_LOOP = 40


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows of one photo, cold, and of a folder.

    Our figures are of whole processes; of the script, the folder's is of its loop alone, after
    start and warm-up.
    """
    with tempfile.TemporaryDirectory() as scratch:
        out, photo = Path(scratch), SAMPLES / "cat.jpg"
        pair = paired(
            lambda: process(imgcls("-q", "heatmap", photo, "-o", out / "ours.png")).seconds,
            lambda: process(script("keras_gradcam.py", out, photo)).seconds,
            runs,
        )
        what = "heatmap of one photo, cold (usual: Keras, GradientTape)"
        yield Row(what, f"{pair.ours:.2f} s", f"{pair.usual:.2f} s", pair.ratio, 12)

        folder = photos or multiplied(out / "photos", _PHOTOS)
        names = [source.name for source in walk(str(folder))]

        def ours() -> float:
            run = process(imgcls("-q", "heatmap", folder, "-o", out / "ours"))
            return run.seconds / len(names)

        def usual() -> float:
            run = process(script("keras_gradcam.py", out, *islice(names, _LOOP + 1)))
            loop = json.loads(run.output)
            return float(loop["seconds"] / loop["photos"])

        pair = paired(ours, usual, runs)
        what = f"heatmaps of {len(names)} photos (usual: the script's loop after warm-up)"
        speeds = (f"{1 / cost:.0f}/s" for cost in (pair.ours, pair.usual))
        yield Row(what, *speeds, pair.ratio, 10)

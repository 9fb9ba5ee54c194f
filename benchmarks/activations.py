"""`activations` against `keras_activations.py`, the usual recipe, on the same model."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import SAMPLES, Row, imgcls, paired, process, script

_FIRST = 8
_MORE = 40


def rows(photos: Path | None, runs: int) -> Iterator[Row]:
    """Yield the rows: the first layers of one photo, few and many, each as a whole process."""
    with tempfile.TemporaryDirectory() as name:
        folder, cat = Path(name), SAMPLES / "cat.jpg"
        for count, goal in ((_FIRST, 1), (_MORE, 2)):
            sheet = folder / "sheet.png"
            ours = imgcls("-q", "activations", cat, "-o", sheet, "--first", str(count))
            usual = script("keras_activations.py", folder, cat, str(count))
            pair = paired(
                lambda ours=ours: process(ours).seconds,  # type: ignore[misc]
                lambda usual=usual: process(usual).seconds,  # type: ignore[misc]
                runs,
            )
            what = f"activations of {count} layers for one photo, whole process"
            seconds = (f"{cost:.1f} s" for cost in (pair.ours, pair.usual))
            yield Row(f"{what} (usual: a model and a figure a layer)", *seconds, pair.ratio, goal)

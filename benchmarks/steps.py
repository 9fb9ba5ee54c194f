"""Where the time of an image goes on one core, and what finer JPEG scales would give.

`python benchmarks/steps.py [FOLDER]`: milliseconds of processor time, the least of five rounds.
The second table needs simplejpeg (`pip install simplejpeg`), which imgcls does not.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from measure import SAMPLES, caption
from PIL import Image

from imgcls import load_model
from imgcls.core.arrays import Float32Array
from imgcls.core.engines.litert import LiteRTEngine
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.classify import classify_chunk
from imgcls.core.tasks.classify.options import ClassifyOptions

T = TypeVar("T")
R = TypeVar("R")

_ROUNDS = 5
_SIZES = ((800, 600), (1000, 750), (1280, 960), (1600, 1200), (2400, 1800), (4000, 3000))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    photos = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
    _steps([Source(str(path)) for path in photos])
    try:
        import simplejpeg  # type: ignore[import-not-found]
    except ImportError:
        print("\nsimplejpeg is not installed: no table of JPEG scales")
        return
    _scales(simplejpeg.decode_jpeg)


def _steps(sources: Sequence[Source]) -> None:
    model = load_model(threads=1, engine="litert")
    preprocessing, engine = model.preprocessing, model.engine
    assert isinstance(engine, LiteRTEngine)
    print(f"{caption()}; {len(sources)} photos\n\n| step | ms |\n|---|---|")
    contents = _timed("read", Source.read, sources)
    images = _timed("decode", lambda c: open_image(c, preprocessing.least_size).image, contents)
    pixels = _timed("crop and resize", preprocessing.fit, images)
    batches = _timed("scale to float32", lambda p: preprocessing.scale(p[np.newaxis]), pixels)
    runner = engine._idle_runner()
    network = runner._interpreter

    def hand_over(batch: Float32Array) -> None:
        network.set_tensor(runner._input, batch)

    _timed("hand over to LiteRT", hand_over, batches)
    _timed("run the network", lambda _: network.invoke(), batches)
    engine._idle.put(runner)
    how = ClassifyOptions()
    _timed("all, from file to record", lambda s: classify_chunk(model, how, [s]), sources)


def _timed(step: str, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    results, least = _least(work, items)
    print(f"| {step} | {least / len(items):.2f} |", flush=True)
    return results


def _least(work: Callable[[T], R], items: Sequence[T]) -> tuple[list[R], float]:
    """Return the results, and the milliseconds of the fastest round."""
    rounds, results = [], list[R]()
    for _ in range(_ROUNDS):
        started = time.process_time()
        results = [work(item) for item in items]
        rounds.append(1000 * (time.process_time() - started))
    return results, min(rounds)


def _scales(decode_jpeg: Callable[..., np.ndarray]) -> None:
    preprocessing = load_model().preprocessing
    print("\n| photo | Pillow | at m/8 | decoded at |\n|---|---|---|---|")
    with Image.open(SAMPLES / "palace.jpg") as palace:
        palace.load()
    for width, height in _SIZES:
        buffer = io.BytesIO()
        palace.resize((width, height), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=90)
        content = buffer.getvalue()
        least = preprocessing.least_size(width, height)
        assert least is not None
        cells = []
        for decode in (
            lambda c: open_image(c, preprocessing.least_size).image,
            lambda c, least=least: Image.fromarray(
                decode_jpeg(c, min_width=least[0], min_height=least[1], min_factor=1)
            ),
        ):
            images, decoding = _least(decode, [content])
            _, resizing = _least(preprocessing.fit, images)
            cells.append(f"{decoding:.1f} + {resizing:.1f}")
        eighths = round(8 * images[0].width / width)
        print(f"| {width}×{height} | {' | '.join(cells)} | {eighths}/8 |")


if __name__ == "__main__":
    main()

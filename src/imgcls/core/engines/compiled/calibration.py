"""The photos that int8 is calibrated on."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from imgcls.core.engines.compiled.folder import CALIBRATION_FILE
from imgcls.core.errors import ImageError, UsageError
from imgcls.core.models.weights import Network
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import Preprocessing, Uint8Image
from imgcls.core.pixels.sources import Source
from imgcls.core.progress import progress

log = logging.getLogger("imgcls")

# How many photos int8 is calibrated on.
CALIBRATION_IMAGES = 100
# With fewer, which numbers occur is rather a guess: good for their own run only.
FEWEST_KEPT = 50


def save_calibration(
    network: Network, calibration: Iterable[Source] | None, folder: Path, *, keep: bool
) -> bool:
    """Leave photos for the child process, as they enter the network before scaling.

    Args:
        network: what is calibrated.
        calibration: photos, of which the first `CALIBRATION_IMAGES` that can be read are used.
        folder: where they are left.
        keep: refuse to do with fewer than `FEWEST_KEPT`.

    Returns:
        Whether they are enough for what is made of them to be kept.

    Raises:
        UsageError: there are none, or too few with `keep`.
    """
    name = network.title
    pixels = list(calibration_pixels(network.spec.preprocessing, calibration or ()))
    remedy = f"run imgcls models compile {name} with `precision` int8 and `calibrate` a folder"
    if not pixels:
        raise UsageError(f"{name}: no photo to calibrate int8 on; {remedy} of photos")
    few = len(pixels) < FEWEST_KEPT
    if few and keep:
        raise UsageError(
            f"{name}: int8 is kept if {FEWEST_KEPT} photos or more calibrate it, and here are "
            f"{len(pixels)}; name a folder with more"
        )
    count = f"the first {len(pixels)} images that can be read" if len(pixels) > 1 else "one image"
    if few:
        log.warning(
            "%s: calibrating int8 on %s, for this run only; to have it for good, %s of %d or more",
            *(name, count, remedy, FEWEST_KEPT),
        )
    else:
        log.info("%s: calibrating int8 on %s, once", name, count)
    np.save(folder / CALIBRATION_FILE, np.stack(pixels))
    return not few


def calibration_pixels(
    preprocessing: Preprocessing, calibration: Iterable[Source]
) -> Iterator[Uint8Image]:
    """Yield the first `CALIBRATION_IMAGES` photos that can be read, uint8 (size, size, 3)."""
    # Standard input can be read only once, and that is for its own record.
    sources = (source for source in calibration if source.kind != "stdin")
    found = 0
    for source in progress(sources, "calibration photo", CALIBRATION_IMAGES):
        with contextlib.suppress(ImageError):
            yield load_image(source, preprocessing).pixels
            found += 1
        if found == CALIBRATION_IMAGES:
            return

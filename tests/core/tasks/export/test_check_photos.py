from __future__ import annotations

import numpy as np

from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.export.check_photos import check_pixels


def test_there_are_eight_and_all_differ() -> None:
    pixels = check_pixels(Preprocessing(16, 18, "tf"))
    assert (pixels.shape, pixels.dtype) == ((8, 16, 16, 3), np.uint8)
    assert len({view.tobytes() for view in pixels}) == 8
    assert pixels.std(axis=(1, 2, 3)).min() > 20  # photos, and no plain colour

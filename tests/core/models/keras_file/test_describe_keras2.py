"""Files of Keras 2 (keras2_files/make.py) against the scores that Keras 2 gave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.models.keras_file.describe import describe
from imgcls.core.pixels.preprocessing import SCALINGS, Scaling

FILES = Path(__file__).parents[3] / "keras2_files"


def _two(scores: np.ndarray) -> np.ndarray:
    return np.concatenate([1 - scores, scores], axis=1) if scores.shape[1] == 1 else scores


@pytest.mark.parametrize(
    ("name", "scaling", "inside", "ending"),
    [
        ("nested.h5", "tf", (), "softmax"),
        ("nested.keras", "tf", (), "softmax"),
        ("partly_frozen.h5", "tf", (), "softmax"),
        ("teachable.h5", "tf", (), "softmax"),
        ("tf_inside.h5", "none", ("tf.math.truediv", "tf.math.subtract"), "sigmoid"),
        ("caffe_inside.h5", "none", ("tf.__operators__.getitem", "tf.nn.bias_add"), "softmax"),
        (
            "torch_inside.h5",
            "none",
            ("tf.math.truediv_1", "tf.nn.bias_add_1", "tf.math.truediv_2"),
            "softmax",
        ),
        ("own_cnn.h5", "none", ("rescaling",), "sigmoid"),
    ],
)
def test_gives_the_scores_of_keras_2(
    imported: Callable[..., Any],
    tmp_path: Path,
    name: str,
    scaling: Scaling,
    inside: tuple[str, ...],
    ending: str,
) -> None:
    found, scores = imported(FILES / name)
    known = np.load(FILES / f"{name}.npz")
    batch = SCALINGS[scaling].scale(known["pixels"])
    assert np.ptp(known["scores"], axis=0).max() > 0.01  # the two images differ
    np.testing.assert_allclose(scores(batch), _two(known["scores"]), atol=1e-5)
    assert found.scaled_by == inside
    assert (found.file.is_keras2, found.ending, found.size) == (True, ending, 32)


def test_names_what_was_dropped(tmp_path: Path) -> None:
    found = describe(FILES / "tf_inside.h5", tmp_path)
    assert found.dropped == {"RandomFlip": 1, "RandomRotation": 1, "Dropout": 1}
    assert found.head is not None and found.head.widths == (8, 2)
    kernel, bias = found.head.layers[0]
    np.testing.assert_array_equal(kernel[:, 0], -kernel[:, 1])  # logits −z/2 and z/2
    np.testing.assert_array_equal(bias[0], -bias[1])

"""Wrong labels: ranked by hand, and found among photos."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from imgcls import audit
from imgcls.core.tasks.auditing.labels import contradicted


def test_contradicted_by_hand() -> None:
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.5, 0.5], [0.7, 0.3]], np.float32)
    found = contradicted(scores, np.array([0, 0, 0, 1, 1]))
    assert [(index, other) for index, other, _ in found] == [(2, 1), (4, 0), (1, 1)]
    np.testing.assert_allclose([score for _, _, score in found], [0.8, 0.7, 0.6], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_flipped_labels_come_first(cars_flowers: Path, tmp_path: Path, seed: int) -> None:
    photos = sorted((cars_flowers / "train").rglob("*.jpg"))
    flipped = set(random.Random(seed).sample(photos, len(photos) // 20))
    other = {"car": "flower", "flower": "car"}
    names = set()
    for photo in photos:
        label = other[photo.parent.name] if photo in flipped else photo.parent.name
        target = tmp_path / label / f"{photo.parent.name}-{photo.name}"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(photo, target)
        if photo in flipped:
            names.add(str(target))
    findings = audit(tmp_path, labels=True).findings
    listed = [one.paths[0] for one in findings if one.kind == "doubtful-label"]
    assert len(names & set(listed[: len(photos) // 10])) >= 0.8 * len(names)

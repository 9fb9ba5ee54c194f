"""An audit with a look at the labels."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from imgcls import audit


def test_labels_are_looked_at_on_demand(
    two_classes: Path, draw: Callable[[str, int], Image.Image]
) -> None:
    wrong = two_classes / "squares" / "wrong.png"
    draw("stripes", 100).save(wrong)
    assert audit(two_classes).count("doubtful-label") == 0
    first = next(
        one for one in audit(two_classes, labels=True).findings if one.kind == "doubtful-label"
    )
    assert first.paths == (str(wrong),)
    assert (first.severity, first.label, first.proposed) == ("warning", "squares", "stripes")
    assert 0.5 < first.score <= 1


def test_too_few_photos_say_nothing_of_labels(
    tmp_path: Path, draw_classes: Callable[[Path, int], Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "imgcls")
    folder = draw_classes(tmp_path / "few", 3)
    assert audit(folder, labels=True).count("doubtful-label") == 0
    assert caplog.messages == [f"{folder}: too few photos or classes to check the labels"]

"""What a record shows of itself in a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.tasks.classify.classify import Prediction, Record

BEST = (Prediction(1, "n1", "<cat>", 0.75), Prediction(2, "n2", "dog", 0.2))


def record(path: str = "none.jpg", **other: Any) -> Record:
    facts: dict[str, Any] = {"status": "ok", "predictions": BEST, "error": None, **other}
    return Record(path, model="m", width=4, height=3, **facts)


def test_labels_and_scores_are_a_table() -> None:
    shown = record("a<b>.jpg")._repr_html_()
    assert "<p><b>a&lt;b&gt;.jpg</b></p>" in shown
    assert "&lt;cat&gt;" in shown and "75.00%" in shown and "n2" in shown
    assert "<cat>" not in shown and "<img" not in shown and "unknown" not in shown


def test_the_picture_is_that_of_the_file_or_what_the_network_saw(samples: Path) -> None:
    of_file = record(str(samples / "cat.jpg"))._repr_html_()
    assert of_file.count('<img src="data:image/jpeg;base64,') == 1
    seen = record(pixels=np.zeros((8, 8, 3), np.uint8))._repr_html_()
    assert '" width="8">' in seen


def test_unknown_and_failed_say_so() -> None:
    assert "<p>unknown (nearest: &lt;cat&gt; 75.00%)</p>" in record(status="unknown")._repr_html_()
    failed = record(status="error", predictions=(), error="no such <file>")._repr_html_()
    assert failed == "<p><b>none.jpg</b></p><p>error: no such &lt;file&gt;</p>"


def test_of_every_class_the_first_are_shown() -> None:
    many = tuple(Prediction(rank, f"n{rank}", f"class{rank}.", 0.001) for rank in range(1, 1001))
    shown = record(predictions=many)._repr_html_()
    assert "class20." in shown and "class21." not in shown

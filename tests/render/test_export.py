from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imgcls.core.tasks.export.export import ExportedModel
from imgcls.render.export import notes, text

DONE = ExportedModel(
    path=Path("m.tflite"),
    beside=None,
    format="LiteRT",
    precision="float32",
    size=18_604_458,
    images=8,
    bound=1e-4,
    max_difference=2.4e-6,
    agreement=1.0,
    least_agreement=None,
)


def test_float() -> None:
    assert list(text("m\x1b.tflite", DONE)) == [
        "m\\x1b.tflite: LiteRT float32, 17.7 MB, scores within 2e-06 on 8 images (at most 1e-04)\n"
    ]
    assert list(notes(DONE)) == ["labels and preprocessing are in the file"]


def test_int8() -> None:
    done = replace(DONE, precision="int8", images=100, bound=None, agreement=0.98)
    done = replace(done, least_agreement=0.95, beside=Path("m.json"))
    assert list(text("m.tflite", done)) == [
        "m.tflite: LiteRT int8, 17.7 MB, names the same class for 98 of 100 photos (at least 95%)\n"
    ]
    assert list(notes(done)) == ["labels and preprocessing are in m.json"]

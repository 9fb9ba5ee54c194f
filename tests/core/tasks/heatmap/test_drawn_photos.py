"""Photos with label and score in them: what is drawn, where it goes, what is left alone."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imgcls
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.classify import classify
from imgcls.core.tasks.heatmap.drawn_photos import (
    DrawnPhoto,
    draw_label,
    draw_predictions,
)


@pytest.fixture(scope="module")
def model() -> imgcls.Model:
    return imgcls.load_model()


@pytest.fixture
def folder(tmp_path: Path, samples: Path) -> Path:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for place in ("in/cat.jpg", "in/deep/cat.jpg"):
        shutil.copy(samples / "cat.jpg", tmp_path / place)
    (tmp_path / "in" / "damaged.jpg").write_bytes(b"\xff\xd8\xff")
    return tmp_path


def grey(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (200, 200, 200))


def test_the_text_stands_on_a_band_at_the_lower_edge() -> None:
    image = grey(440, 330)
    drawn = np.asarray(draw_label(image, "cat  38.47%")).astype(int)
    assert drawn.shape == (330, 440, 3)
    band = 34  # 1.7 times a text of 440 / 22 pixels
    assert (drawn[:-band] == 200).all()
    np.testing.assert_allclose(drawn[-band:, -20:], 80, atol=1)  # 200 under 60 % of black
    assert drawn[-band:].max() > 240  # white letters
    assert (np.asarray(image) == 200).all()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((32, 16), (320, 160)),
        ((10, 100), (240, 320)),
        ((1, 1), (320, 320)),
        ((20_000, 2), (16_000, 2)),
    ],
)
def test_there_is_room_for_the_text_and_no_more_than_jpeg_takes(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert draw_label(grey(*size), "cat").size == expected


def test_other_scripts_have_their_own_letters() -> None:
    drawn = [np.asarray(draw_label(grey(440, 330), text)) for text in ("кот", "γατ", "cat")]
    assert (drawn[0] != drawn[1]).any() and (drawn[0] != drawn[2]).any()


def test_a_script_without_a_font_is_written_as_number_and_codes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strange = "\U000f1235"  # for private use
    with caplog.at_level(logging.WARNING, logger="imgcls"):
        drawn = draw_label(grey(440, 330), strange, without_font=f"7: {strange}")
    codes = draw_label(grey(440, 330), r"7: \U000f1235")
    np.testing.assert_array_equal(np.asarray(drawn), np.asarray(codes))
    assert "no font on this machine can write" in caplog.text


def test_a_folder_is_mirrored_and_a_damaged_photo_is_its_record(
    folder: Path, model: imgcls.Model
) -> None:
    found = list(draw_predictions(folder / "in", folder / "out", model))
    outputs = {os.path.relpath(one.output, folder) for one in found if one.output}
    assert outputs == {"out/cat.predicted.jpg", "out/deep/cat.predicted.jpg"}
    (failed,) = (one for one in found if one.output is None)
    assert (failed.record.status, failed.error) == ("error", None)
    assert [one.record for one in found] == list(classify(folder / "in", model, top=1))
    with Image.open(folder / "out" / "cat.predicted.jpg") as drawn:
        assert (drawn.size, drawn.format) == ((451, 300), "JPEG")
        pixels = np.asarray(drawn).astype(int)
    original = np.asarray(Image.open(folder / "in" / "cat.jpg")).astype(int)
    assert np.abs(pixels[:260] - original[:260]).mean() < 3
    assert pixels[270:].mean() < 0.6 * original[270:].mean()


def drawn(found: Iterator[DrawnPhoto]) -> list[str | None]:
    return [one.output and os.path.basename(one.output) for one in found]


def test_nothing_but_an_earlier_drawing_of_the_same_photo_is_written_over(
    folder: Path, model: imgcls.Model
) -> None:
    one, other, out = folder / "in" / "cat.jpg", folder / "in" / "deep" / "cat.jpg", folder / "out"
    assert drawn(draw_predictions(one, out, model)) == ["cat.predicted.jpg"]
    assert drawn(draw_predictions(other, out, model)) == ["cat.jpg.predicted.jpg"]
    kept = (out / "cat.predicted.jpg").read_bytes()
    (out / "cat.predicted.jpg").write_bytes(b"somebody's own")
    assert drawn(draw_predictions([one, other], out, model)) == [
        "cat.jpg.2.predicted.jpg",
        "cat.jpg.predicted.jpg",
    ]
    assert (out / "cat.predicted.jpg").read_bytes() == b"somebody's own"
    assert (out / "cat.jpg.2.predicted.jpg").read_bytes() == kept
    assert len(list(out.iterdir())) == 3


def test_drawings_are_passed_over_by_a_walk(folder: Path, model: imgcls.Model) -> None:
    first = drawn(draw_predictions(folder / "in", folder / "in" / "drawn", model))
    assert drawn(draw_predictions(folder / "in", folder / "in" / "drawn", model)) == first


@pytest.mark.posix
def test_a_pipe_is_read_once(folder: Path, samples: Path, model: imgcls.Model) -> None:
    import threading

    pipe = folder / "pipe"
    os.mkfifo(pipe)
    content = (samples / "cat.jpg").read_bytes()
    threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True).start()
    (found,) = draw_predictions([Source(str(pipe))], folder / "out", model)
    assert found.record.predictions[0].label == "tiger_cat"
    assert found.output == str(folder / "out" / "pipe.predicted.jpg")


def test_an_unknown_one_says_so(
    folder: Path, model: imgcls.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sure,) = draw_predictions(folder / "in" / "cat.jpg", folder / "sure", model)
    (unsure,) = draw_predictions(
        folder / "in" / "cat.jpg", folder / "unsure", model, min_confidence=0.9
    )
    assert unsure.record.status == "unknown"
    best = unsure.record.predictions[0]
    image = Image.open(folder / "in" / "cat.jpg")
    expected = draw_label(image, f"unknown (nearest: tiger_cat {best.score:.2%})")
    assert unsure.output is not None and sure.output is not None
    difference = np.asarray(Image.open(unsure.output)).astype(int) - np.asarray(expected)
    assert np.abs(difference).max() < 60  # of JPEG
    assert Path(unsure.output).read_bytes() != Path(sure.output).read_bytes()


def test_a_file_is_no_folder_for_drawings(folder: Path, model: imgcls.Model) -> None:
    with pytest.raises(imgcls.UsageError, match=r"cat\.jpg: is a file; name a folder for the dr"):
        draw_predictions(folder / "in", folder / "in" / "cat.jpg", model)

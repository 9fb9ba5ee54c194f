"""Sheets and arrays as files: what is written, what is left alone, and the record of each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgcls.core.engines.model import Model
from imgcls.core.errors import OutputError, UsageError
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.heatmap import activation_files
from imgcls.core.tasks.heatmap.activation_files import (
    ActivationRecord,
    LayerSummary,
    SheetOptions,
    write_activations,
)
from imgcls.core.tasks.heatmap.activations import ActivationOptions, activations
from imgcls.core.tasks.heatmap.picture_files import is_heatmap
from tests.core.engines.test_described import LABELS, POOLED, head, opened, write

LAYERS = ("gap", "conv")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a small network of images of 16 × 16."""
    path = write(tmp_path_factory.mktemp("model") / "m.safetensors", POOLED, head(5))
    return opened(path, "keras")


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save("a.png")
    return tmp_path


def written(
    model: Model, *jobs: tuple[str, str], raw: bool = False, **which: Any
) -> list[ActivationRecord]:
    options = ActivationOptions(**{"layers": LAYERS, **which})
    sources = ((Source(name), output) for name, output in jobs)
    return list(write_activations(sources, model, options, SheetOptions(4, raw)))


def test_a_sheet_and_its_record(model: Model) -> None:
    (record,) = written(model, ("a.png", "new/folder/s.png"))
    assert (record.path, record.model, record.error) == ("a.png", model.name, None)
    assert (record.output, record.raw) == ("new/folder/s.png", None)
    assert record.prediction is not None and record.prediction.label in LABELS
    assert record.layers == {"gap": LayerSummary((5,), 0), "conv": LayerSummary((16, 16, 4), 0)}
    assert list(record.layers) == list(LAYERS)
    assert is_heatmap("new/folder/s.png")  # so that no folder walk takes it for a photo
    assert os.listdir("new/folder") == ["s.png"]


def test_arrays_are_those_of_the_layers(model: Model) -> None:
    (record,) = written(model, ("a.png", "s.jpg"), raw=True)
    assert (record.output, record.raw) == ("s.jpg", "s.npz")
    (seen,) = activations("a.png", model, layers=LAYERS)
    with np.load("s.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == ["conv", "gap"]
        for name in arrays:
            np.testing.assert_array_equal(arrays[name], seen.layers[name])
            assert arrays[name].dtype == np.float32


def test_a_layer_may_be_called_anything(work: Path) -> None:
    layers = {name: np.full(2, 1, np.float32) for name in ("file", "allow_pickle", "args", "é")}
    activation_files._save_arrays(layers, "x.npz")
    with np.load("x.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == sorted(layers)


def test_earlier_outputs_are_replaced(model: Model, work: Path) -> None:
    written(model, ("a.png", "s.png"), ("a.png", "t.png"), raw=True)
    assert (work / "s.npz").read_bytes() == (work / "t.npz").read_bytes()
    (record,) = written(model, ("a.png", "s.png"), raw=True, layers=("act",))
    assert record.error is None
    with np.load("s.npz") as arrays:
        assert list(arrays) == ["act"]


def test_a_photo_is_never_written_over(model: Model, work: Path) -> None:
    photo = (work / "a.png").read_bytes()
    (record,) = written(model, ("a.png", "a.png"))
    assert record.error == "a.png: exists and is not an earlier heatmap; name another output"
    assert (record.output, record.prediction, record.layers) == (None, None, {})
    assert (work / "a.png").read_bytes() == photo


def test_no_other_file_of_arrays_is_written_over(model: Model, work: Path) -> None:
    np.savez(work / "arrays.npz", mine=np.zeros(3))
    (work / "cut.npz").write_bytes(b"PK\3\4")
    (work / "empty.npz").write_bytes(b"")
    (work / "folder.npz").mkdir()
    if os.name == "posix":
        (work / "link.npz").symlink_to("nowhere")
        os.mkfifo(work / "pipe.npz")  # which would be waited for
    files = sorted(work.glob("*.npz"))
    before = [(status.st_ino, status.st_mtime_ns) for status in map(os.lstat, files)]
    jobs = [("a.png", f"{file.stem}.png") for file in files]
    *bad, good = written(model, *jobs, ("a.png", "t.png"), raw=True, layers=("gap",))
    assert [record.error for record in bad] == [
        f"{file.name}: exists and is not an earlier output of this kind; name another output"
        for file in files
    ]
    assert [(status.st_ino, status.st_mtime_ns) for status in map(os.lstat, files)] == before
    assert good.error is None and sorted(path.name for path in work.glob("*.png")) == [
        *("a.png", "t.png")
    ]


def test_what_cannot_be_read_is_a_record(model: Model, work: Path) -> None:
    (work / "empty.png").write_bytes(b"")
    bad, good = written(model, ("empty.png", "s.png"), ("a.png", "t.png"), raw=True)
    assert bad == ActivationRecord("empty.png", model.name, None, None, None, {}, "empty file")
    assert good.error is None
    assert sorted(os.listdir()) == ["a.png", "empty.png", "t.npz", "t.png"]


def test_whatever_drawing_raises_is_a_record(
    model: Model, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(activation_files, "draw_sheet", stumble)
    (record,) = written(model, ("a.png", "s.png"), raw=True)
    assert record.error == "it cannot be used (ZeroDivisionError)"
    assert os.listdir() == ["a.png"]


def test_an_output_that_cannot_be_written_ends_the_run(model: Model) -> None:
    with pytest.raises(OutputError, match=r"^a\.png.*: cannot be made"):
        written(model, ("a.png", "a.png/s.png"))


def test_jobs_are_asked_for_one_by_one(model: Model) -> None:
    def jobs() -> Any:
        yield Source("a.png"), "s.png"
        pytest.fail("the second was asked for too early")

    records = write_activations(jobs(), model, ActivationOptions(LAYERS), SheetOptions())
    assert next(records).error is None


def test_a_wrong_layer_is_said_before_any_image_is_read(model: Model) -> None:
    with pytest.raises(UsageError, match=r"^gab: no such layer; did you mean gap or "):
        write_activations(iter([]), model, ActivationOptions(("gab",)), SheetOptions())


def test_options_check_themselves() -> None:
    with pytest.raises(UsageError, match=r"^`channels` must be 1 or more; it is 0$"):
        SheetOptions(0)

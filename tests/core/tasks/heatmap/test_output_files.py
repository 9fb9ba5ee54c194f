"""Writing heatmaps: a record for every input, and nothing written over but heatmaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.engines.model import load_model
from imgcls.core.errors import OutputError
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.heatmap import output_files
from imgcls.core.tasks.heatmap.explain import Explainer
from imgcls.core.tasks.heatmap.options import DrawOptions, ExplainOptions
from imgcls.core.tasks.heatmap.output_files import HeatmapRecord, write_heatmaps


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(load_model(), ExplainOptions(workers=1))


def one(
    photo: Path, output: Path, explainer: Explainer, how: DrawOptions | None = None
) -> HeatmapRecord:
    jobs = [(Source(str(photo)), str(output))]
    (record,) = write_heatmaps(jobs, explainer, how or DrawOptions())
    return record


def test_picture_and_map_are_written(samples: Path, tmp_path: Path, explainer: Explainer) -> None:
    out = tmp_path / "new" / "cat.png"
    record = one(samples / "cat.jpg", out, explainer, DrawOptions(raw=True))
    assert (record.status, record.error, record.output) == ("ok", None, str(out))
    assert record.prediction is not None and record.prediction.label == "tiger_cat"
    assert record.raw == str(tmp_path / "new" / "cat.npy")
    assert np.load(record.raw).shape == (300, 451)
    with Image.open(out) as picture:
        assert picture.size == (451, 300)


def test_what_cannot_be_read_is_a_record(tmp_path: Path, explainer: Explainer) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    record = one(tmp_path / "a.jpg", tmp_path / "out.png", explainer)
    assert (record.status, record.error, record.output) == ("error", "empty file", None)
    assert not (tmp_path / "out.png").exists()


def test_whatever_drawing_raises_is_a_record(
    samples: Path, tmp_path: Path, explainer: Explainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(output_files, "draw", stumble)
    record = one(samples / "cat.jpg", tmp_path / "out.png", explainer)
    assert record.error == "it cannot be used (ZeroDivisionError)"


def test_a_map_of_someone_else_is_kept(samples: Path, tmp_path: Path, explainer: Explainer) -> None:
    (tmp_path / "cat.npy").write_bytes(b"mine")
    record = one(samples / "cat.jpg", tmp_path / "cat.png", explainer, DrawOptions(raw=True))
    assert record.error == f"{tmp_path / 'cat.npy'}: exists and is not a map; name another output"
    assert (tmp_path / "cat.npy").read_bytes() == b"mine"
    assert not (tmp_path / "cat.png").exists()


def test_an_output_that_cannot_be_written_ends_the_run(
    samples: Path, tmp_path: Path, explainer: Explainer
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file: cannot be made"):
        one(samples / "cat.jpg", tmp_path / "file" / "cat.png", explainer)

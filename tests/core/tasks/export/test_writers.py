from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.models.exported_description import ExportedDescription
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.export.options import FORMATS, ExportOptions
from imgcls.core.tasks.export.writers import WRITERS, Work, read_description, write_description


def test_every_format_has_a_writer() -> None:  # each is run in test_export_child.py
    assert WRITERS.keys() == FORMATS.keys()


@pytest.mark.parametrize("ending", [".keras", ".h5", ".xml", "/"])
def test_what_is_written_beside_is_read(ending: str, tmp_path: Path) -> None:
    labels = (ClassLabel("n1", "cat"), ClassLabel("n2", "Hündin"))
    described = ExportedDescription("m", Preprocessing(4, 5, "tf"), labels).to_json()
    work = Work(None, described, ExportOptions(), any_batch=True, calibration=None)
    path = tmp_path / ("m" if ending == "/" else f"m{ending}")
    path.mkdir()
    write_description(work, path, ending)
    assert read_description(path, ending) == described

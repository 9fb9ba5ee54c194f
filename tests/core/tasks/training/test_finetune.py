"""What a training takes and what comes of it, by the Python API."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import imgcls
from imgcls.core.errors import ImageError


def write_table(folder: Path) -> Path:
    """List the images of class folders in a table beside them, in the folders' order."""
    paths = sorted(folder.glob("*/*.png"))
    lines = (f"{os.path.relpath(path, folder.parent)},{path.parent.name}" for path in paths)
    table = folder.parent / "set.csv"
    table.write_text("\n".join(["path,label", *lines]))
    return table


def test_a_table_is_as_good_as_its_folder(
    two_classes: Path, tmp_path: Path, compiled_default: None
) -> None:
    table = write_table(two_classes)
    of_folder = imgcls.finetune(two_classes, tmp_path / "folder.safetensors", epochs=2)
    of_table = imgcls.finetune(table, tmp_path / "table.safetensors", epochs=2)
    assert of_table.classes == of_folder.classes == {"squares": 10, "stripes": 10}
    files = [tmp_path / f"{name}.safetensors" for name in ("folder", "table")]
    assert files[0].read_bytes() == files[1].read_bytes()
    evaluations = [imgcls.evaluate(data, str(files[0])) for data in (two_classes, table)]
    np.testing.assert_array_equal(*(one.confusion_matrix for one in evaluations))
    assert evaluations[1].images == 24
    rows = [list(imgcls.features(data)) for data in (two_classes, table)]
    assert [row.label for row in rows[1]] == [row.label for row in rows[0]]
    assert [row.path for row in rows[1]] == [row.path for row in rows[0]]
    for one, other in zip(*rows, strict=True):
        np.testing.assert_array_equal(one.features, other.features)

    with open(table, "a") as file:
        file.write("\ngone.png,stripes\n")
    with pytest.raises(ImageError, match=r"1 of 25 images cannot be read \(gone.png\)"):
        imgcls.finetune(table, tmp_path / "new.safetensors")
    (*_, last) = imgcls.features(table)
    assert (last.label, last.error) == ("stripes", "no such file")
    assert [one.error for one in imgcls.evaluate(table, str(files[0])).errors] == ["no such file"]

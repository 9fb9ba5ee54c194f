"""Packed rows of features, and the bytes of the files that are made of them."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from imgcls.core.tasks.features.features import FeatureRow
from imgcls.render.arrays import MARK, pack, unpack, unpack_texts, write_npy, write_npz

ONE = FeatureRow("a.jpg", "cat", "m", np.array([1.5, -2.0], np.float32), None)
FAILED = FeatureRow("caf\udce9\n.jpg", "", "m", None, "truncated JPEG")
TWO = FeatureRow("b.jpg", "", "m", np.array([3.0, 0.1], np.float32), None)
# Bytes of a line's end among the features must not end a line.
NEWLINES = FeatureRow("c.jpg", "", "m", np.frombuffer(b"\n\n\n\n\n\n\n\n", "<f4"), None)


def packed(*rows: FeatureRow) -> io.BytesIO:
    """Return a file that stands behind its header, as those that are written do."""
    file = io.BytesIO(b"HEADER\n" + b"".join(map(pack, rows)))
    file.seek(7)
    return file


def test_a_row_is_a_line_and_its_features_as_they_are_in_memory() -> None:
    assert pack(ONE) == b'["a.jpg", "cat", ""]\n' + np.array([1.5, -2.0], "<f4").tobytes()
    assert pack(FAILED) == b'["caf\\udce9\\n.jpg", "", "truncated JPEG"]\n'


def test_rows_come_back_with_their_features_or_without() -> None:
    given = ONE, FAILED, NEWLINES, TWO
    texts = list(unpack_texts(packed(*given), 2))
    assert texts == [
        ("a.jpg", "cat", ""),
        ("caf\udce9\n.jpg", "", "truncated JPEG"),
        *(("c.jpg", "", ""), ("b.jpg", "", "")),
    ]
    found = list(unpack(packed(*given), 2))
    assert [(path, label, error) for path, label, error, _ in found] == texts
    rows = [None if row is None else row.tobytes() for *_, row in found]
    assert rows == [pack(row)[-8:] if row.error is None else None for row in given]


def test_an_array_has_a_row_an_input_and_no_number_for_a_failed_one() -> None:
    out = io.BytesIO()
    write_npy(packed(ONE, FAILED, TWO), out, count=2)
    content = out.getvalue()
    assert content.startswith(b"\x93NUMPY\x01\x00") and MARK in content[:128]
    assert len(content) == 128 + 3 * 2 * 4  # a header of a multiple of 64 bytes, then the rows
    array = np.load(io.BytesIO(content))
    assert array.dtype == np.float32 and array.shape == (3, 2)
    assert np.array_equal(array, [[1.5, -2], [np.nan, np.nan], TWO.features], equal_nan=True)


@pytest.mark.parametrize("rows", [(), (ONE,), (ONE,) * 12])
def test_the_number_of_rows_never_moves_the_beginning(rows: tuple[FeatureRow, ...]) -> None:
    out = io.BytesIO()
    write_npy(packed(*rows), out, count=2)
    assert len(out.getvalue()) == 128 + 8 * len(rows)
    assert np.load(io.BytesIO(out.getvalue())).shape == (len(rows), 2)


def test_an_archive_has_labels_only_where_there_are_any() -> None:
    for rows, names in (
        ((ONE, FAILED), ["paths.npy", "labels.npy", "errors.npy", "features.npy"]),
        ((FAILED, TWO), ["paths.npy", "errors.npy", "features.npy"]),
        ((), ["paths.npy", "errors.npy", "features.npy"]),
    ):
        out = io.BytesIO()
        write_npz(packed(*rows), out, count=2)
        with zipfile.ZipFile(out) as archive:
            assert archive.namelist() == names
            assert archive.comment == MARK


def test_texts_of_an_archive_are_as_wide_as_the_longest() -> None:
    out = io.BytesIO()
    write_npz(packed(ONE, FAILED), out, count=2)
    with np.load(io.BytesIO(out.getvalue())) as arrays:
        assert arrays["paths"].dtype == "<U9" and arrays["labels"].dtype == "<U3"
        assert arrays["errors"].tolist() == ["", "truncated JPEG"]
        assert arrays["labels"].tolist() == ["cat", ""]
        assert arrays["paths"].tolist() == ["a.jpg", "caf\udce9\n.jpg"]
        assert arrays["features"].shape == (2, 2)

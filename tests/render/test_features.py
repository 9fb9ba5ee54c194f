"""Files of features: what was written is read again, to the last bit."""

from __future__ import annotations

import csv
import io
import json
from typing import IO, Any

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.features.features import FeatureRow
from imgcls.render.features import FORMATS, format_of

COUNT = 5
PATHS = ["a/one.jpg", "bad, \n.jpg", "caf\udce9.jpg", "三.jpg", "last.jpg"]


def rows() -> list[FeatureRow]:
    random = np.random.default_rng(0)
    made = [
        FeatureRow(path, "a", "m", random.normal(0, 1e-3, COUNT).astype(np.float32), None)
        for path in PATHS
    ]
    made[1] = FeatureRow(PATHS[1], "", "m", None, "not an image")
    return made


def written(ending: str, given: list[FeatureRow]) -> bytes:
    """Return the file that the program would write."""
    form = FORMATS[ending]
    header = form.header(COUNT).encode()
    records = io.BytesIO(header + b"".join(form.record(row, COUNT) for row in given))
    if form.finish is None:
        return records.getvalue()
    records.seek(len(header))
    out: IO[bytes] = io.BytesIO()
    form.finish(records, out, count=COUNT)
    out.seek(0)
    return out.read()


def expected() -> Any:
    missing = np.full(COUNT, np.nan, np.float32)
    return np.stack([missing if row.features is None else row.features for row in rows()])


def test_npz() -> None:
    with np.load(io.BytesIO(written(".npz", rows()))) as file:
        assert list(file) == ["paths", "labels", "errors", "features"]
        assert file["paths"].tolist() == PATHS
        assert file["labels"].tolist() == ["a", "", "a", "a", "a"]
        assert file["errors"].tolist() == ["", "not an image", "", "", ""]
        np.testing.assert_array_equal(file["features"], expected())
        assert file["features"].dtype == np.float32
    unlabelled = [FeatureRow("a", "", "m", np.zeros(COUNT, np.float32), None)]
    with np.load(io.BytesIO(written(".npz", unlabelled))) as file:
        assert "labels" not in file


@pytest.mark.parametrize("ending", [".npz", ".npy", ".parquet"])
def test_the_same_rows_are_the_same_bytes(ending: str) -> None:
    assert written(ending, rows()) == written(ending, rows())


def test_npy(tmp_path: Any) -> None:
    np.testing.assert_array_equal(np.load(io.BytesIO(written(".npy", rows()))), expected())
    (tmp_path / "a.npy").write_bytes(written(".npy", rows()))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    np.testing.assert_array_equal(mapped, expected())
    assert np.load(io.BytesIO(written(".npy", []))).shape == (0, COUNT)


def test_parquet() -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(written(".parquet", rows())))
    assert table.column_names == ["path", "label", "error", "features"]
    assert table["path"].to_pylist() == ["a/one.jpg", "bad, \n.jpg", "caf\\udce9.jpg", *PATHS[3:]]
    assert table["error"].to_pylist() == [None, "not an image", None, None, None]
    found = table["features"].to_pylist()
    assert found[1] is None
    np.testing.assert_array_equal(np.float32(found[0]), expected()[0])


def test_csv() -> None:
    text = written(".csv", rows()).decode("utf-8", "surrogateescape")
    head, *found = csv.reader(io.StringIO(text, newline=""))
    assert head == ["path", "label", "error", "f0", "f1", "f2", "f3", "f4"]
    assert [row[0] for row in found] == PATHS
    assert found[1] == [PATHS[1], "", "not an image", "", "", "", "", ""]
    np.testing.assert_array_equal(np.float32(found[0][3:]), expected()[0])


def test_jsonl() -> None:
    found = [json.loads(line) for line in written(".jsonl", rows()).splitlines()]
    assert [one["path"] for one in found] == PATHS
    assert found[1] == {
        "path": PATHS[1],
        "status": "error",
        "model": "m",
        "label": None,
        "error": "not an image",
        "features": None,
    }
    np.testing.assert_array_equal(np.float32(found[4]["features"]), expected()[4])


def test_a_file_is_known_as_its_own_format_alone() -> None:
    files = {ending: written(ending, rows()) for ending in FORMATS}
    for ending, form in FORMATS.items():
        assert [other for other, content in files.items() if form.begins(content)] == [ending]
    strange = io.BytesIO()
    np.savez(strange, features=expected())
    assert not FORMATS[".npz"].begins(strange.getvalue())
    strange = io.BytesIO()
    np.save(strange, expected())
    assert not FORMATS[".npy"].begins(strange.getvalue())


def test_an_ending_that_stands_for_no_format() -> None:
    assert format_of("A.NPZ") is FORMATS[".npz"]
    with pytest.raises(UsageError, match=r"^a\.txt: .* \.npz, \.npy, \.parquet, \.csv, \.jsonl$"):
        format_of("a.txt")


@pytest.mark.parametrize("ending", [".npz", ".parquet", ".csv", ".jsonl"])
def test_an_output_says_which_inputs_it_has(ending: str) -> None:
    form = FORMATS[ending]
    expected = [r"a/one.jpg", r"bad, \x0a.jpg", r"caf\udce9.jpg", "三.jpg", "last.jpg"]
    assert list(form.names(io.BytesIO(written(ending, rows())))) == expected
    part = form.header(COUNT).encode() + b"".join(form.record(row, COUNT) for row in rows())
    assert list(form.part_names(io.BytesIO(part))) == expected


def test_an_array_alone_does_not_say_it() -> None:
    assert list(FORMATS[".npy"].names(io.BytesIO(written(".npy", rows())))) == []

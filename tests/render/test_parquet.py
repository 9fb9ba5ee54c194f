from __future__ import annotations

import csv
import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pq = pytest.importorskip("pyarrow.parquet")

from imgcls.core.output_file import write_file  # noqa: E402
from imgcls.core.tasks.classify.classify import Prediction, Record  # noqa: E402
from imgcls.render import parquet as module  # noqa: E402
from imgcls.render.parquet import parquet  # noqa: E402

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


def records(count: int) -> Iterator[Record]:
    for number in range(count):
        two = (Prediction(1, "a", "A", 0.75), Prediction(2, "b", "B", 0.25))
        yield Record(f"{number}.jpg", "ok", "m", 1, 1, two, None)


def test_read_back_equals_csv(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    inputs = (samples, "nix.jpg")
    done = imgcls("predict", *inputs, "-o", "out.parquet", "--min-confidence", "0.5")
    assert (done.returncode, done.stdout) == (3, "")
    text = imgcls("predict", *inputs, "-f", "csv", "--min-confidence", "0.5").stdout
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.names == ["path", "status", "rank", "class_id", "label", "score", "error"]
    rows = [
        {
            name: "" if value is None else f"{value:.6g}" if name == "score" else str(value)
            for name, value in row.items()
        }
        for row in table.to_pylist()
    ]
    assert rows == list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 26


def test_row_groups_come_as_the_records_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_PER_GROUP", 10)
    taken = 0

    def counted() -> Iterator[Record]:
        nonlocal taken
        for record in records(23):
            taken += 1
            yield record

    pieces = parquet(counted(), 5)
    first = next(pieces)
    assert taken == 5  # ten rows
    content = first + b"".join(pieces)
    file = pq.ParquetFile(io.BytesIO(content))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [
        *[10] * 4,
        6,
    ]
    table = file.read().to_pydict()
    assert table["path"] == [f"{number}.jpg" for number in range(23) for _ in range(2)]
    assert table["score"] == [0.75, 0.25] * 23


def test_no_records_is_an_empty_table() -> None:
    assert pq.read_table(io.BytesIO(b"".join(parquet([], 5)))).num_rows == 0


def test_a_path_that_is_no_unicode() -> None:
    odd = Record("\udcff.jpg", "error", "m", None, None, (), "no such file")
    table = pq.read_table(io.BytesIO(b"".join(parquet([odd], 5))))
    assert table.to_pylist()[0]["path"] == "\\udcff.jpg"


def test_stdout_is_refused(imgcls: Imgcls, samples: Path) -> None:
    done = imgcls("predict", samples / "cat.jpg", "-f", "parquet")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: parquet is no text; name a file with --output\n"


def test_only_its_own_output_is_overwritten(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    import pyarrow as pa

    foreign = tmp_path / "mine.parquet"
    pq.write_table(pa.table({"path": ["precious"]}), foreign)
    before = foreign.read_bytes()
    done = imgcls("predict", samples / "cat.jpg", "-o", foreign)
    assert done.returncode == 1 and "not an earlier output of this kind" in done.stderr
    assert foreign.read_bytes() == before
    for _ in range(2):
        assert imgcls("predict", samples / "cat.jpg", "-o", "own.parquet").returncode == 0
    assert pq.read_table(tmp_path / "own.parquet").num_rows == 5


def test_a_run_that_ends_early_leaves_what_was_there(tmp_path: Path) -> None:
    def broken() -> Iterator[Record]:
        yield from records(3)
        raise KeyboardInterrupt

    out = tmp_path / "out.parquet"
    out.write_bytes(b"as it was")
    with pytest.raises(KeyboardInterrupt):
        write_file(str(out), parquet(broken(), 5))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [
        ("out.parquet", b"as it was")
    ]


def test_without_pyarrow(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u, sys\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'pyarrow' else find(name, *a)\n"
    )
    path = os.pathsep.join([str(hidden), os.environ.get("PYTHONPATH", "")])
    done = imgcls("predict", samples, "-o", "out.parquet", env={"PYTHONPATH": path})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: parquet: pyarrow is not installed; pip install 'imgcls[parquet]'\n"
    )
    assert not (tmp_path / "out.parquet").exists()

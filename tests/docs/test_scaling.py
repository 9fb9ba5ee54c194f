"""The Python of docs/scaling.md does what it says; what needs Spark itself is only read."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"
HEAD, SPARK = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.usefixtures("compiled_default")
def test_a_partition_on_spark_has_the_rows_of_predict(samples: Path, tmp_path: Path) -> None:
    assert len(SPARK.strip().splitlines()) <= 35
    names: dict[str, Any] = {"__name__": "spark"}
    exec(compile(SPARK, "predict_on_spark.py", "exec"), names)
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    rows = list(names["classified"](iter([f"{samples}/cat.jpg", f"{tmp_path}/bad.jpg"])))
    assert [row[2] for row in rows] == [1, 2, 3, 4, 5, None]
    assert rows[0][1:5] == ("ok", 1, "n02123159", "tiger_cat")
    assert rows[5][1] == "error" and rows[5][6]
    columns = [column.split()[0] for column in names["COLUMNS"].split(", ")]
    assert columns == ["path", "status", "rank", "class_id", "label", "score", "error"]


def test_a_head_is_trained_on_the_parts(
    imgcls: Imgcls, two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "features").mkdir()
    (two_classes / "squares" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = imgcls("features", "two_classes", "-o", "features/part-0.parquet")
    assert done.returncode == 3, done.stderr
    shutil.copy(tmp_path / "features" / "part-0.parquet", tmp_path / "features" / "part-1.parquet")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(HEAD, "head.py", "exec"), names)
    assert names["features"].shape == (48, 1280)
    labels = names["rows"]["label"].to_pylist()
    assert [key for key, _ in itertools.groupby(labels)] == ["squares", "stripes"] * 2
    assert names["head"].score(names["features"], labels) == 1.0

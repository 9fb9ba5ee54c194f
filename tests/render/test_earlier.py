from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from imgcls.core.safe import readable
from imgcls.core.tasks.classify.classify import Prediction, Record
from imgcls.render.earlier import NamedInputs
from imgcls.render.predictions import FORMATS

NAMES = ["a.jpg", "in/b: c.jpg", "=x.jpg", "new\nline.jpg", 'quo"te,<&>.jpg', "é.jpg", "\udcff.jpg"]


def records() -> list[Record]:
    answer = (Prediction(1, "n1", "cat", 0.75), Prediction(2, "n2", "dog", 0.2))
    made = [Record(name, "ok", "m", 1, 1, answer, None) for name in NAMES]
    made.append(Record("odd.jpg", "unknown", "m", 1, 1, answer, None))
    return [*made, Record("bad.jpg", "error", "m", None, None, (), "truncated JPEG: half")]


@pytest.mark.parametrize("top", [1, 2])
@pytest.mark.parametrize("name", FORMATS)
def test_an_output_says_which_inputs_it_has(name: str, top: int) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow")
    format_ = FORMATS[name]
    pieces = format_.pieces(records(), top)
    content = b"".join(
        piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece
        for piece in pieces
    )
    names = list(dict.fromkeys(format_.names(io.BytesIO(content))))
    expected = [*NAMES, "odd.jpg", "bad.jpg"]
    if name == "html":  # failed ones last or not, all are there
        assert sorted(names) == sorted(map(readable, expected))
    else:
        assert names == list(map(readable, expected))


def test_what_is_named_covers_what_is_below_it(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shots [2024]").mkdir()
    inputs = ["in", "one.jpg", "c*.jpg", "shots [2024]/*.png", "http://host/x.jpg", "-"]
    named = NamedInputs(inputs, ["list/a.jpg", "sub"])
    covered = [
        *("in/a.jpg", "in/deep/a.jpg", "one.jpg", "./one.jpg", str(tmp_path / "in/a.jpg")),
        *("cat.jpg", "shots [2024]/x.png", "http://host/x.jpg", "-", "list/a.jpg", "sub/x.jpg"),
    ]
    others = ["inn/a.jpg", "two.jpg", "dog.jpg", "shots 2/x.png", "http://host/y.jpg", "list/b.jpg"]
    assert [name for name in covered if not named.cover(name)] == []
    assert [name for name in others if named.cover(name)] == []
    assert NamedInputs([os.curdir], []).cover("any/a.jpg")

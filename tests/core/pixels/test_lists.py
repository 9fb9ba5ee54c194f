"""Lists of paths, in every encoding and cut into blocks anywhere."""

from __future__ import annotations

import codecs
import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcls.core.errors import UsageError
from imgcls.core.pixels.lists import _names, read_names
from imgcls.core.pixels.sources import read_list
from tests.core.pixels.input_files import names


class Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.mark.parametrize(
    ("content", "null"),
    [
        pytest.param(b"a.jpg\nd e.jpg\n", False, id="lines"),
        pytest.param(b"a.jpg\nd e.jpg", False, id="no end of line"),
        pytest.param(b"a.jpg\r\nd e.jpg\r\n", False, id="CRLF"),
        pytest.param(b"\na.jpg\n\n\nd e.jpg\n\n", False, id="empty lines"),
        pytest.param(codecs.BOM_UTF8 + b"a.jpg\r\nd e.jpg", False, id="byte-order mark"),
        pytest.param("\ufeffa.jpg\r\nd e.jpg\r\n".encode("utf-16-le"), False, id="UTF-16"),
        pytest.param("\ufeffa.jpg\nd e.jpg\n".encode("utf-16-be"), False, id="UTF-16, big-endian"),
        pytest.param("a.jpg\nd e.jpg".encode("utf-16-le"), False, id="UTF-16, no mark"),
        pytest.param("a.jpg\nd e.jpg".encode("utf-16-be"), False, id="big-endian, no mark"),
        pytest.param("\ufeffa.jpg\0d e.jpg".encode("utf-16-le"), True, id="UTF-16 and NUL"),
        pytest.param(b"a.jpg\0d e.jpg\0", True, id="NUL"),
        pytest.param(b"a.jpg\0d e.jpg", True, id="no last NUL"),
    ],
)
def test_files_from(inside: Path, content: bytes, null: bool) -> None:
    (inside / "list").write_bytes(content)
    assert names(read_list("list", null=null)) == ["a.jpg", "d e.jpg"]


def test_files_from_with_nul_keeps_new_lines_in_names(inside: Path) -> None:
    (inside / "list").write_bytes(b"a\nb.jpg\0")
    assert names(read_list("list", null=True)) == ["a\nb.jpg"]


def test_files_from_longer_than_a_block(inside: Path) -> None:
    wanted = [f"{number:050}.jpg" for number in range(4000)]
    for null, end in ((True, "\0"), (False, "\n")):
        (inside / "list").write_text("".join(name + end for name in wanted))
        assert names(read_list("list", null=null)) == wanted


def test_files_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b"a.jpg\nb.jpg\n"))
    assert names(read_list("-")) == ["a.jpg", "b.jpg"]
    monkeypatch.setattr(sys, "stdin", Stdin(b"a.jpg\0b.jpg\0"))
    assert names(read_list("-", null=True)) == ["a.jpg", "b.jpg"]


def test_files_from_is_read_as_it_is_written() -> None:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as reader, open(write_end, "wb", buffering=0) as writer:
        writer.write(b"a.jpg\0b.jpg\0c")
        found = _names(reader, "stdin", True)
        assert next(found) == "a.jpg"  # though the writer has not ended
        assert next(found) == "b.jpg"


def test_list_that_cannot_be_read(tmp_path: Path) -> None:
    for name, reason in (("absent", "No such file or directory"), ("", "Is a directory")):
        with pytest.raises(UsageError, match=f"the list cannot be read: {reason}"):
            next(read_list(str(tmp_path / name)))


class Slowly(io.BytesIO):
    """A pipe that gives so many bytes at a time."""

    def __init__(self, content: bytes, block: int) -> None:
        super().__init__(content)
        self._block = block

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(self._block)


_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\ufeff")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("null", [False, True])
@given(
    paths=st.lists(st.text(_LETTERS, min_size=1, max_size=9), max_size=9),
    block=st.integers(1, 40),
    last=st.booleans(),
)
def test_what_is_written_is_read(
    mark: str, encoding: str, null: bool, paths: list[str], block: int, last: bool
) -> None:
    text = ("\0" if null else "\n").join(paths) + ("\0" if null else "\n") * last
    if not mark:
        encoding = "utf-8"  # what UTF-16 without a mark looks like is tested above
    content = (mark + text).encode(encoding)
    assert list(_names(Slowly(content, block), "list", null)) == paths


@given(content=st.binary(max_size=200), null=st.booleans())
def test_any_bytes_are_names_or_a_usage_error(content: bytes, null: bool) -> None:
    try:
        found = list(_names(io.BytesIO(content), "list", null))
    except UsageError as error:
        assert str(error).startswith("list: ")
    else:
        assert all(found)


def test_an_image_is_no_list(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = samples / "cat.jpg"
    with pytest.raises(UsageError, match=r"this is an image and no list of paths; name it as an"):
        next(read_list(str(path)))
    monkeypatch.setattr(sys, "stdin", Stdin(path.read_bytes()))
    with pytest.raises(
        UsageError, match=r"^stdin: this is an image and no .*; use - as the input$"
    ):
        next(read_list("-"))


def test_an_endless_line_is_no_list() -> None:
    endless = io.BytesIO(b"x" * 2**21)
    with pytest.raises(UsageError, match=r"^list: holds a line of over 1 MB"):
        list(_names(endless, "list", False))


def test_a_list_in_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    column = ["a b.jpg", "", None, "ü.png"]
    for columns in ({"id": [1, 2, 3, 4], "path": column, "note": column}, {"any": column}):
        pq.write_table(pa.table(columns), tmp_path / "list")
        assert list(read_names(str(tmp_path / "list"))) == ["a b.jpg", "ü.png"]
    pq.write_table(pa.table({"one": column, "two": column}), tmp_path / "list")
    with pytest.raises(UsageError, match="list: has no column called path"):
        list(read_names(str(tmp_path / "list")))
    (tmp_path / "list").write_bytes(b"PAR1 and no more")
    with pytest.raises(UsageError, match="list: the list is damaged"):
        list(read_names(str(tmp_path / "list")))

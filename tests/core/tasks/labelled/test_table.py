"""Tables of paths and labels: what is read, and one line for whatever is wrong with one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.labelled.table import is_table, read_rows, table_sources


def table(folder: Path, content: str | bytes) -> str:
    path = folder / "set.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def seen(path: str) -> list[tuple[str, str, str]]:
    folder = os.path.dirname(path)
    return [
        (os.path.relpath(row.source.name, folder), row.source.label, row.split)
        for row in read_rows(path)
    ]


def test_paths_are_relative_to_the_table(tmp_path: Path) -> None:
    path = table(tmp_path, f"path,label\nin/a.jpg,cat\n{tmp_path}/b.jpg,dog\n../c.jpg, cat \n")
    assert [row.source.name for row in read_rows(path)] == [
        str(tmp_path / "in" / "a.jpg"),
        str(tmp_path / "b.jpg"),
        str(tmp_path / ".." / "c.jpg"),
    ]
    assert [row.source.label for row in read_rows(path)] == ["cat", "dog", "cat"]
    assert [source.label for source in table_sources(path)] == ["cat", "dog", "cat"]


def test_a_table_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(tmp_path, "path,label\na.jpg,cat\n")
    monkeypatch.chdir(tmp_path)
    assert [row.source.name for row in read_rows("set.csv")] == ["a.jpg"]


def test_splits_by_the_words_of_folders_and_other_columns(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "Split,width, Label ,path\r\nTRAIN,9,a,1.jpg\r\nval,9,b,2.jpg\r\n\r\ntest,,a,3.jpg\r\n",
    )
    expected = [("1.jpg", "a", "train"), ("2.jpg", "b", "validation"), ("3.jpg", "a", "test")]
    assert seen(path) == expected


def test_a_column_of_empty_splits_is_none(tmp_path: Path) -> None:
    assert seen(table(tmp_path, "path,label,split\n1.jpg,a,\n")) == [("1.jpg", "a", "all")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = table(tmp_path, "path,label\nmu\u0308ll.jpg,mu\u0308ll\n".encode(encoding))
    assert seen(path) == [("mu\u0308ll.jpg", "m\u00fcll", "all")]


@pytest.mark.linux
def test_a_path_of_any_bytes(tmp_path: Path) -> None:
    path = table(tmp_path, b"path,label\n\xfc.jpg,a\n")
    assert seen(path) == [(os.fsdecode(b"\xfc.jpg"), "a", "all")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; a table is a CSV file whose first line is path,label or "),
        ("path,label\n", "has no row below its first line"),
        ("file,label\n1.jpg,a\n", "has no column path, its first line is file,label; a table is"),
        ("path;label\n1.jpg;a\n", "has no column path, its first line is path;label; a table is"),
        ("path,class\n1.jpg,a\n", "has no column label, its first line is path,class; "),
        ("path,label,label\n1.jpg,a,b\n", "has two columns label; delete or rename one"),
        ("path,label\n1.jpg\n", "line 2 has 1 field and not 2"),
        ('path,label\n1.jpg,"a\n', "line 2 is malformed: unexpected end of data"),
        ("path,label\n1.jpg,a\n2.jpg, \n", "line 3 has no label; write it there or delete"),
        ("path,label\n1.jpg,\n2.jpg,\n", "line 2 and 1 other line have no label; write"),
        ("path,label\n,a\n", "line 2 has no path; write it there or delete the row"),
        ("path,label,split\n1.jpg,a,new\n", "line 2: split new is unknown; use train, valid"),
        ("path,label,split\n1.jpg,a,train\n2.jpg,a,\n", "line 3: the split is empty; use train"),
        (b"path,label\n1.jpg,m\xfcll\n", "the label in line 2 is not UTF-8; save the table as "),
        (b"\xff\xfep\0a\0t", "is not valid UTF-16; save the table as UTF-8"),
        (b"\xff\xd8\xff\xe0", "is neither a folder nor a table; a table is a CSV file"),
        (b"PK\3\4\0\0", "is neither a folder nor a table; a table is a CSV file"),
    ],
)
def test_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = table(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        read_rows(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_path_that_stands_twice(tmp_path: Path) -> None:
    path = table(tmp_path, "path,label\n1.jpg,a\n2.jpg,b\nx/../1.jpg,b\n2.jpg,b\n")
    with pytest.raises(UsageError) as caught:
        read_rows(path)
    assert str(caught.value) == (
        f"{path}: names {tmp_path}/x/../1.jpg in line 2 and again in line 4, and 1 more so; "
        "an image has one row"
    )


def test_an_unreadable_table(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the table cannot be read: "):
        read_rows(str(tmp_path / "none.csv"))


def test_what_is_a_table_among_inputs(tmp_path: Path) -> None:
    assert is_table(table(tmp_path, "path,label\n"))
    assert not is_table(str(tmp_path))
    assert not is_table(str(tmp_path / "none.csv"))
    (tmp_path / "list.txt").write_text("path,label\n")
    assert not is_table(str(tmp_path / "list.txt"))
    assert not is_table(table(tmp_path, b"\x89PNG\r\n\x1a\n"))  # an image under a wrong name

"""Whether any image is there, and how many there will be, counted beside the work."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.cli.totals import (
    Total,
    any_there,
    can_be_counted,
    count_ahead,
    counted_beside,
    total,
)
from imgcls.core.errors import UsageError
from imgcls.core.pixels.sources import Source, expand, read_list


def known(number: Total) -> int:
    """Return a number once its thread has counted; a test that fails takes ten seconds."""
    deadline = time.monotonic() + 10
    while (found := number()) is None:
        assert time.monotonic() < deadline
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/1.jpg", "a/b/2.png", "a/notes.txt", "a/.hidden/3.jpg", "4.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "list.txt").write_text("a\n4.jpg\ngone.jpg\n")
    (tmp_path / "set.csv").write_text("path,label\n4.jpg,x\na/1.jpg,y\n")
    return tmp_path


def test_folders_globs_files_and_lists(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert known(total(["a"])) == 2
    assert known(total(["a", "4.jpg", "gone.jpg", "https://a.b/c.jpg"])) == 5
    assert known(total(["*"])) == 5  # the two in the folder, 4.jpg, the list, the table
    assert known(total(["4.jpg"], "list.txt")) == 5
    assert known(total(["set.csv"])) == 1
    assert known(total(["set.csv"], tables=True)) == 2
    assert known(total(["a"], skipped=lambda: 1)) == 1


@pytest.mark.posix
def test_what_can_be_read_once_is_left_to_the_work(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for number in (
        *(total(["-"]), total([], "-"), total([str(folder)], "-")),
        total([], str(folder / "pipe")),
    ):
        assert number() is None and number() is None


def test_nothing_is_counted_before_anybody_asks() -> None:
    asked = []

    def items() -> Iterator[int]:
        asked.append(1)
        yield from range(7)

    number = counted_beside(items)
    assert asked == []
    assert known(number) == 7
    assert known(number) == 7 and asked == [1]


def test_a_count_that_fails_is_not_known() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError

    number = counted_beside(items)
    assert number() is None and number() is None


def test_what_waits_for_the_next_name_is_not_looked_at_ahead(folder: Path) -> None:
    names = [str(folder), "*.jpg", "https://example.org/a.jpg"]
    assert can_be_counted(names, None)
    assert not can_be_counted([*names, "-"], None)
    assert not can_be_counted(names, "-")


@pytest.mark.parametrize(("files_from", "counted"), [(None, 3), ("list.txt", 3), ("-", None)])
def test_only_names_that_are_here_are_counted_to_choose_the_engine(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files_from: str | None, counted: int | None
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.chdir(folder)
    (folder / "list.txt").touch()
    sources = [Source(name) for name in "ab-"]
    count, again = count_ahead("auto", "float32", iter(sources), files_from)
    assert (count, list(again)) == (counted, sources)


def test_whether_any_image_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    (folder / "gone.txt").write_text("gone.jpg\na\0.jpg\n")

    def looked(*inputs: str, files_from: str | None = None) -> tuple[bool, list[Source]]:
        sources = expand(inputs)
        if files_from is not None:
            sources = itertools.chain(sources, read_list(files_from))
        there, found = any_there(sources, inputs, files_from)
        return there, list(found)

    for inputs in (["gone.jpg", "a"], ["4.jpg"], ["gone", "https://example.org/a.jpg"], ["[4].*"]):
        assert looked(*inputs) == (True, list(expand(inputs)))
    there, sources = looked("gone.jpg", "empty", "*.gone", files_from="gone.txt")
    assert not there
    assert [(one.name, one.kind, one.reason) for one in sources] == [
        ("gone.jpg", "missing", "no such file"),
        ("*.gone", "missing", "no file matches"),
        ("gone.jpg", "missing", "no such file"),
        ("a\0.jpg", "missing", "no file name: embedded null byte"),
    ]


def test_what_is_wrong_with_a_list_is_said_behind_the_inputs_before_it(folder: Path) -> None:
    sources = itertools.chain(expand(["gone.jpg"]), read_list(str(folder / "no-list")))
    there, found = any_there(sources, ["gone.jpg"], "no-list")
    assert there and next(found) == Source("gone.jpg")
    with pytest.raises(UsageError, match="the list cannot be read"):
        next(found)


def test_standard_input_is_not_read_ahead() -> None:
    sources = expand(["gone.jpg", "-"])
    assert any_there(sources, ["gone.jpg", "-"], None) == (True, sources)

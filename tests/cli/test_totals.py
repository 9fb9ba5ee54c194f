"""How many images there will be, counted beside the work."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.cli.totals import Total, can_be_counted, counted_beside, total


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

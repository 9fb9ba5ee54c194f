"""Results of other inputs are not replaced."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from imgcls.cli.replacing import Earlier, check_same_inputs, part_of
from imgcls.core.errors import OutputError
from imgcls.core.pixels.source import Source


def lines(file: IO[bytes]) -> Iterator[str]:
    for line in file:
        yield line.decode().strip()


def damaged(file: IO[bytes]) -> Iterator[str]:
    yield "in/a.jpg"
    raise zipfile.BadZipFile


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("out.txt")
    path.write_text("in/a.jpg\nin/b.jpg\n")
    return path


def check(*earlier: Earlier, inputs: tuple[str, ...] = ("in",), **how: bool) -> list[str]:
    sources = iter([Source(name) for name in inputs])
    how = {"listed": False, **how}
    return [source.name for source in check_same_inputs(earlier, inputs, sources, **how)]


def test_the_same_inputs_pass(output: Path) -> None:
    assert check(Earlier("out.txt", lines)) == ["in"]
    assert check(Earlier("gone.txt", lines), inputs=("else",)) == ["else"]
    both = ("in/a.jpg", "in/b.jpg")
    assert check(Earlier("out.txt", lines), inputs=both, listed=True) == list(both)


def test_others_do_not(output: Path) -> None:
    with pytest.raises(OutputError) as raised:
        check(Earlier("gone.txt", lines), Earlier("out.txt", lines), inputs=("in/a.jpg",))
    assert str(raised.value) == (
        "out.txt: has results of other inputs (in/b.jpg); --force replaces it"
    )
    with pytest.raises(OutputError, match=r"\(in/a\.jpg\); --force replaces it, --resume adds"):
        check(Earlier("out.txt", lines), inputs=("else",), resumable=True)


def test_an_image_that_was_moved_away_is_not_there_again(output: Path) -> None:
    with pytest.raises(OutputError, match=r"\(in/a\.jpg\)"):
        check(Earlier("out.txt", lines), moved=True)


def test_the_rest_of_what_is_damaged_is_no_obstacle(output: Path) -> None:
    assert check(Earlier("out.txt", damaged)) == ["in"]


@pytest.mark.posix
def test_what_grows_stands_beside_the_file_itself(output: Path) -> None:
    os.symlink(output.resolve(), "link.txt")
    assert part_of("out.txt") == "out.txt.part"
    assert part_of("link.txt") == f"{output.resolve()}.part"

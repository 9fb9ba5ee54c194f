"""Where results go, and what is refused before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.core.errors import OutputError
from imgcls.core.output_file import check_output, is_special, linked_file, only_writer, write_file


def is_own(start: bytes) -> bool:
    return start.startswith(b"own") and start.endswith(b"end")


def test_a_long_output_is_known_by_its_start_and_end(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"own" + bytes(20_000) + b"end")
    check_output(os.fspath(path), is_own)
    path.write_bytes(b"own" + bytes(20_000))
    with pytest.raises(OutputError, match="exists and is not an earlier output of this kind"):
        check_output(os.fspath(path), is_own)


def test_an_empty_file_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    check_output(os.fspath(tmp_path / "out"), is_own)


def test_a_folder_and_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder; name a file"):
        check_output(os.fspath(tmp_path), is_own)
    with pytest.raises(OutputError, match="no such folder; make it first"):
        check_output(os.fspath(tmp_path / "missing" / "out"), is_own)


def test_a_file_is_as_it_was_where_a_piece_fails(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("before")

    def pieces() -> Iterator[str]:
        yield "half"
        raise OutputError("no more")

    with pytest.raises(OutputError):
        write_file(os.fspath(path), pieces())
    assert path.read_text() == "before"
    write_file(os.fspath(path), ["a\udcff", b"\x00"])
    assert path.read_bytes() == b"a\xff\x00"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.linux
def test_a_full_device() -> None:
    assert is_special("/dev/full")
    with pytest.raises(OutputError, match="/dev/full: cannot be written: No space left on device"):
        write_file("/dev/full", ["text"])


@pytest.mark.parametrize("letter", ["x", "猫"])  # of one byte, and of three
def test_one_run_at_a_time_writes_an_output(tmp_path: Path, letter: str) -> None:
    out = tmp_path / (letter * (240 // len(letter.encode())) + ".jpg")
    with only_writer(out, "x.jpg"):
        with (
            pytest.raises(OutputError, match=r"^x\.jpg: another run is writing it; wait for it"),
            only_writer(out, "x.jpg"),
        ):
            pass
        with only_writer(tmp_path / "y.jpg", "y.jpg"):
            pass
    with pytest.raises(KeyboardInterrupt), only_writer(out, "x.jpg"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=r"^z: cannot be written: "),
        only_writer(tmp_path / "file" / "z", "z"),
    ):
        pass


@pytest.mark.posix
def test_the_rest_goes_beside_the_file_of_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link.h5").symlink_to("real.h5")  # which need not be there yet
    assert linked_file("link.h5") == str(tmp_path / "real.h5")
    assert linked_file(Path("own.h5")) == "own.h5"

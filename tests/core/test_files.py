"""Atomic writes: what they leave, what of a killed process is removed, what is never opened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imgcls.core.files import (
    open_regular,
    read_regular,
    remove_leftovers,
    working_folder,
    write_atomically,
)

WRITE = """
import os, sys, pathlib
from imgcls.core.files import atomic_writer
with atomic_writer(pathlib.Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    if sys.argv[2] == "die":
        os.kill(os.getpid(), 9)
    print("there", flush=True)
    sys.stdin.read()
"""


def start(path: Path, how: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITE, path, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@pytest.mark.posix
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    start(tmp_path / "x.html", "die").communicate()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".x.html.imgcls-")
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    writer = start(tmp_path / "x.html", "wait")
    assert writer.stdout is not None
    assert writer.stdout.readline().strip() == b"there"
    remove_leftovers(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    writer.communicate(b"")
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]


@pytest.mark.posix
def test_other_files_with_such_names_stay(tmp_path: Path) -> None:
    names = [".x.1-0123abcd.tmp", ".x.imgcls-1.tmp", "x.imgcls-1-0123abcd.tmp"]
    for name in names:
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / ".x.imgcls-99999999-0123abcd.tmp")
    remove_leftovers(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.posix
def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127 + "a")
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.posix
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("other")])
def test_only_regular_files_are_opened(tmp_path: Path, make: object) -> None:
    (tmp_path / "other").write_bytes(b"x")
    assert read_regular(tmp_path / "other") == b"x"
    make(tmp_path / "it")  # type: ignore[operator]
    with pytest.raises(OSError):
        open_regular(tmp_path / "it")


def test_what_a_thread_writes_when_the_program_ends_is_removed(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, threading\n"
        "from imgcls.core.files import atomic_writer\n"
        "begun = threading.Event()\n"
        "def write():\n"
        "    with atomic_writer(pathlib.Path(sys.argv[1])) as file:\n"
        "        begun.set()\n"
        "        threading.Event().wait()\n"
        "threading.Thread(target=write, daemon=True).start()\n"
        "begun.wait()\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "a"], check=True)
    assert list(tmp_path.iterdir()) == []


FOLDER = WRITE.replace("atomic_writer", "working_folder").replace(
    'file.write(b"half")\n    file.flush()', '(file / "half").touch()'
)


@pytest.mark.posix
def test_a_working_folder_goes_with_its_block_or_its_process(tmp_path: Path) -> None:
    with working_folder(tmp_path / "out") as folder:
        (folder / "a").touch()
        remove_leftovers(tmp_path)
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []
    subprocess.run([sys.executable, "-c", FOLDER, tmp_path / "out", "die"], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []

"""A child process: what it is asked, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from imgcls.core.child import run_child

ECHO = "from imgcls.core.child import read_request; import sys; sys.stderr.write(read_request())"
LONG = 30  # seconds


def test_a_child_reads_its_request(tmp_path: Path) -> None:
    done = run_child(ECHO, "a line", tmp_path, show=False)
    assert (done.returncode, done.stderr) == (0, b"a line\n")


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    done = run_child("raise SystemExit('no')", "a line", tmp_path, show=False)
    assert (done.returncode, done.stderr) == (1, b"no\n")


def test_temporary_files_are_in_its_folder(tmp_path: Path) -> None:
    code = "import sys, tempfile; sys.stderr.write(tempfile.mkdtemp(prefix='left'))"
    done = run_child(code, "a line", tmp_path, show=False)
    assert Path(done.stderr.decode()).parent == tmp_path


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_child_ends_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    child = (
        "from imgcls.core.child import read_request; read_request(); import time; "
        f"file = open({str(fifo)!r}, 'w'); print('working', file=file, flush=True); "
        f"time.sleep({LONG}); print('done', file=file)"
    )
    call = f"run_child({child!r}, 'x', {str(tmp_path)!r}, show=False)"
    code = f"from imgcls.core.child import run_child; {call}"
    with (
        subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as parent,
        open(fifo) as opened,
    ):
        assert opened.readline() == "working\n"
        parent.send_signal(number)
        assert opened.read() == ""  # comes when the child has ended, or else what it says last

"""A process of our own that does one piece of work and ends with the one that started it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


def run_child(
    code: str, request: str, folder: Path | None = None, *, show: bool
) -> subprocess.CompletedProcess[bytes]:
    """Run Python code in a child process that reads a line of standard input.

    The code calls `read_request` first. Where this process ends or is interrupted, so does the
    child.

    Args:
        code: what it runs.
        request: the line it reads.
        folder: for its temporary files, which libraries leave where they are interrupted;
            default: the system's.
        show: let what it prints reach the terminal; else its standard error is returned.
    """
    environment = dict(os.environ)
    if folder is not None:
        environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
        # TensorFlow imports modules that it writes there, and their bytecode would stay.
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", code],  # -P: a numpy.py in the working folder is not ours
        stdin=subprocess.PIPE,
        stdout=None if show else subprocess.DEVNULL,
        stderr=None if show else subprocess.PIPE,
        env=environment,
    )
    try:
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, and says why
            child.stdin.write(request.encode() + b"\n")
            child.stdin.flush()
        # Its standard input stays open: it ends where this process does.
        printed = child.stderr.read() if child.stderr is not None else b""
        child.wait()
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
    return subprocess.CompletedProcess(child.args, child.returncode, b"", printed)


def read_request() -> str:
    """Return the line that `run_child` wrote; from now on, end when the parent process ends.

    Its end closes standard input, which a thread waits for. Native code can keep that thread
    from running for many seconds, so on Linux the kernel is asked for the same.
    """
    end_with_parent()
    request = sys.stdin.readline()
    threading.Thread(target=_end_with_input, daemon=True).start()
    return request


def end_with_parent() -> None:
    """Ask the system to kill this process when the thread that started it ends, on Linux."""
    if sys.platform == "linux":
        import ctypes

        set_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)

"""Signals at any moment: a tidy end, the right exit code, never a traceback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.posix

# Python itself answers with a traceback, or dies of the signal, before the first line of imgcls.
_PYTHON_STARTS = 0.12  # seconds


def send(
    arguments: list[str | Path], number: int, delay: float, again: float | None
) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "imgcls", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    time.sleep(delay)  # the moment is what is tried
    process.send_signal(number)
    if again is not None:
        time.sleep(again)
        process.send_signal(number)
    _, error = process.communicate(timeout=60)
    return process.returncode, error.decode()


def tries(count: int, seed: int) -> list[tuple[int, float, float | None]]:
    choose = random.Random(seed)
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP] if os.name == "posix" else []
    return [
        (
            choose.choice(numbers),
            choose.uniform(_PYTHON_STARTS, 0.6),
            choose.choice([None, choose.uniform(0, 0.02)]),
        )
        for _ in range(count)
    ]


def check(samples: Path, count: int, seed: int) -> None:
    for number, delay, again in tries(count, seed):
        for arguments in (["--help"], ["predict", samples]):
            code, error = send(arguments, number, delay, again)
            what = (arguments[0], signal.Signals(number).name, delay, again, error)
            assert "Traceback" not in error and "stumbled" not in error, what
            assert code in (0, 130 if number == signal.SIGINT else 143), what


def test_a_signal_at_some_moments(samples: Path, compiled_default: Path) -> None:
    check(samples, 5, seed=0)


@pytest.mark.slow
def test_a_signal_at_many_moments(samples: Path, compiled_default: Path) -> None:
    check(samples, 80, seed=1)


SWALLOWED = """
import atexit
import signal
from imgcls.cli import signals

class Swallows:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        pass

signals.handle()
signals.begin()
try:
    Swallows()
    while True:
        pass
except signals.Stopped as stop:
    print(*stop.args)
atexit.register(lambda: half_made.lock)
"""


def test_a_signal_within_a_destructor_is_not_lost_and_nothing_half_made_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWED], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("interrupted 130\n", "")


def test_a_terminal_that_goes_away_ends_it(samples: Path, compiled_default: Path) -> None:
    import pty

    arguments = ["predict", "--files-from", "-", "-k1"]
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, which started the tests, ignores it
        os.chdir(samples)
        os.execv(sys.executable, [sys.executable, "-m", "imgcls", *arguments])
    os.write(terminal, b"cat.jpg\n")
    seen = b""
    while b"tiger_cat" not in seen:
        seen += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 143


@pytest.mark.parametrize("shell", ["trap '' INT; exec", "trap '' HUP; exec"])
def test_what_the_caller_ignores_stays_ignored(
    samples: Path, compiled_default: Path, shell: str
) -> None:
    process = subprocess.Popen(
        ["bash", "-c", f'{shell} "$0" -m imgcls predict --files-from -', sys.executable],
        cwd=samples,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"cat.jpg\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"cat.jpg\n"
    process.send_signal(signal.SIGINT if "INT" in shell else signal.SIGHUP)
    out, error = process.communicate(b"coffee.jpg\n", timeout=60)
    assert process.returncode == 0
    assert b"coffee.jpg\n" in out and b"Error" not in error


@pytest.mark.parametrize("what", [["--help"], ["--version"], ["--show-completion", "zsh"]])
@pytest.mark.linux
def test_a_full_or_closed_stdout_is_one_line(what: list[str]) -> None:
    for target in (">/dev/full", ">&-"):
        done = subprocess.run(
            ["bash", "-c", f'exec "$0" -m imgcls "$@" {target}', sys.executable, *what],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("Error: standard output: cannot be written: ")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kilobytes", [60_000, 110_000])
@pytest.mark.linux
def test_too_little_memory_is_one_line(samples: Path, kilobytes: int) -> None:
    command = f'ulimit -v {kilobytes}; exec "$0" -m imgcls predict cat.jpg'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable],
        cwd=samples,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: not enough memory; ")
    assert done.stderr.count("\n") == 1

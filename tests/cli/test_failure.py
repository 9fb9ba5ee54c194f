"""What ended a command, as one line and an exit code."""

from __future__ import annotations

import errno
import os

import click
import pytest

from imgcls.cli import signals
from imgcls.cli.failure import report
from imgcls.core.errors import ModelError, UsageError


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("leave out `val_split`"), 2, "leave out --val-split"),
        (ModelError("a: no\nsuch\x1b model"), 1, "a: no such\\x1b model"),
        (click.UsageError("no such option"), 2, "no such option"),
        (signals.Stopped("terminated", 143), 143, "terminated"),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
            1,
            "standard output: cannot be written: No space left on device",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.txt"),
            1,
            "a.txt: Permission denied",
        ),
        (
            RuntimeError("can't start new thread"),
            1,
            "not enough memory; end other programs, or lift the limit of this one (ulimit -v)",
        ),
        (KeyError("x"), 1, "imgcls stumbled (KeyError: 'x'); -v shows where"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == code
    assert capsys.readouterr() == ("", f"Error: {line}\n")


@pytest.mark.parametrize("error", [click.exceptions.Exit(0), BrokenPipeError()])
def test_a_reader_that_goes_away_is_no_error(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == 0
    assert capsys.readouterr() == ("", "")


def test_a_stop_that_a_library_turned_into_another_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signals, "raised", signals.Stopped("interrupted", 130))
    assert report(ImportError("initialization failed")) == 130
    assert capsys.readouterr().err == "Error: interrupted\n"

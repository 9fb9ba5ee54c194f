"""Help that is printed without click."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from imgcls.cli import ready_help
from imgcls.cli.main import run


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.parametrize("names", [[], ["predict"], ["models", "list"]])
def test_it_is_what_click_prints(names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ready_help.show([*names, "--help"])
    ready = capsys.readouterr().out
    assert run([*names, "-h"]) == 0
    assert ready == capsys.readouterr().out
    assert ready.startswith(f"Usage: {' '.join(['imgcls', *names])} ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["predict"],
        ["predict", "--help", "cat.jpg"],
        ["-v", "--help"],
        ["nosuch", "--help"],
        ["../help/imgcls", "--help"],
    ],
)
def test_the_rest_is_left_to_click(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not ready_help.show(arguments)
    assert capsys.readouterr().out == ""


def test_a_narrow_terminal_is_left_to_click(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    columns = 79
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert not ready_help.show(["--help"])
    columns = 80
    assert ready_help.show(["--help"])
    monkeypatch.setenv("COLUMNS", "60")
    assert not ready_help.show(["--help"])


@pytest.mark.parametrize("closed", ["", "sys.stdout = None; "])
def test_click_is_not_imported(closed: str) -> None:
    code = f"""
import sys
from imgcls.cli import ready_help
{closed}print_ = ready_help.show(["predict", "--help"])
print(print_, sorted({{"click", "typing", "re"}} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    said = done.stderr.splitlines()[-1]
    assert said.startswith("False" if closed else "True") and "click" not in said

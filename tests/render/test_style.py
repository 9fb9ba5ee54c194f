from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.core.tasks.classify.classify import Prediction, Record
from imgcls.render.predictions import text
from imgcls.render.style import PLAIN, Style, columns, padded

COLOR = Style(color=True, bars=True)


def test_bars() -> None:
    style = Style(bars=True)
    assert style.bar(1, 4) == "████  "
    assert style.bar(0.5, 4) == "██    "
    assert style.bar(0.53, 4) == "██▏   "
    assert style.bar(0, 4) == "      "
    assert style.bar(7, 4) == "████  "
    assert PLAIN.bar(0.5) == ""


def test_ink() -> None:
    assert COLOR.paint("x", "bad") == "\x1b[31mx\x1b[0m"
    assert PLAIN.paint("x", "bad") == "x"


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("cat", 3), ("山猫", 4), ("T恤衫", 5), ("e\u0301té", 3), ("\uff21", 2)],
)
def test_columns(text: str, width: int) -> None:
    assert columns(text) == width


def test_names_of_any_script_take_as_many_columns() -> None:
    assert padded(["杯子", "cup", "意式浓缩咖啡"]) == [
        "杯子        ",
        "cup         ",
        "意式浓缩咖啡",
    ]
    assert padded([]) == []


def record(path: str, label: str) -> Record:
    return Record(path, "ok", "m", 1, 1, (Prediction(1, "id", label, 0.5),), None)


def test_names_never_bring_their_own_escapes() -> None:
    (piece,) = text([record("\x1b[31mevil.jpg", "\x1b]0;title\x07")], 5, COLOR)
    assert "\\x1b[31mevil.jpg" in piece and "\\x1b]0;title\\x07" in piece
    ours = {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[32m"}
    rest = piece
    for sequence in ours:
        rest = rest.replace(sequence, "")
    assert "\x1b" not in rest


def test_plain_text_is_that_of_the_contract() -> None:
    (piece,) = text([record("cat.jpg", "tiger_cat")], 5, PLAIN)
    assert piece == "cat.jpg\n  tiger_cat   50.00%  id\n"


pty = pytest.importorskip("pty") if os.name == "posix" else None


@pytest.fixture
def on_terminal(tmp_path: Path) -> Iterator[object]:
    """Return a function that runs imgcls with a terminal for standard output."""
    assert pty is not None

    def run(*arguments: str, **environment: str) -> str:
        ours, theirs = pty.openpty()
        env = {"TERM": "xterm", **os.environ, **environment}
        command = [sys.executable, "-m", "imgcls", "-q", *arguments]
        child = subprocess.Popen(command, stdout=theirs, stderr=theirs, cwd=tmp_path, env=env)
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(ours, 65536):
                shown += block
        except OSError:  # the terminal was closed
            pass
        child.wait()
        os.close(ours)
        return shown.decode().replace("\r\n", "\n")

    yield run


@pytest.mark.posix
def test_colour_and_bars_on_a_terminal(on_terminal, samples: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name = tmp_path / "\x1b[31mred.jpg"
    name.write_bytes((samples / "coffee.jpg").read_bytes())
    shown = on_terminal("predict", str(name), "-k2", NO_COLOR="")
    assert "\x1b[32mespresso" in shown and "█" in shown
    assert "\x1b[31mred" not in shown and "\\x1b[31mred.jpg" in shown
    for format_name in ("csv", "jsonl", "html"):
        assert "\x1b" not in on_terminal("predict", str(name), "-f", format_name, NO_COLOR="")


@pytest.mark.posix
def test_no_color(on_terminal, samples: Path) -> None:  # type: ignore[no-untyped-def]
    photo = str(samples / "coffee.jpg")
    for environment in ({"NO_COLOR": "1"}, {"NO_COLOR": "", "TERM": "dumb"}):
        shown = on_terminal("predict", photo, "-k2", **environment)
        assert "espresso" in shown and "\x1b" not in shown

"""What -v and -q let through."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import pytest

from imgcls.cli.console import Console
from imgcls.core import progress

log = logging.getLogger("imgcls")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(progress, "_shows", [])
    with warnings.catch_warnings():
        yield


def speak(console: Console) -> None:
    log.debug("one image failed", exc_info=ValueError("cut off"))
    log.info("compiling, once")
    log.warning("leave out `weights`")
    console.say("5 images\x1b")
    warnings.warn_explicit("a cache is full", UserWarning, "a.py", 1, "imgcls.core.cache")
    warnings.warn_explicit("unclosed file", ResourceWarning, "a.py", 1, "imgcls.core.files")
    warnings.warn_explicit("odd EXIF", UserWarning, "a.py", 1, "PIL.Image")


PLAIN = ["compiling, once", "Warning: leave out --weights", "5 images\\x1b"]
PLAIN.append("Warning: a cache is full")


def test_notices_warnings_and_the_summary_go_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    speak(Console(verbose=False, quiet=False))
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == ("", PLAIN)


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(verbose=False, quiet=False)
    console.configure(quiet=True)
    speak(console)
    assert capsys.readouterr() == ("", "")


def test_verbose_shows_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    speak(Console(verbose=True, quiet=False))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["one image failed", "ValueError: cut off"]
    assert [line for line in lines if line in PLAIN] == PLAIN


def test_no_bar_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(verbose=False, quiet=False)
    assert list(console.progress(range(3), "image")) == [0, 1, 2]
    assert list(progress.progress("ab", "image", 2)) == ["a", "b"]
    assert capsys.readouterr() == ("", "")


def test_a_line_now_and_then_where_nobody_looks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 4.0, 11.0, 12.0, 21.5])
    monkeypatch.setattr("imgcls.cli.console.time.monotonic", lambda: next(clock))
    console = Console(verbose=False, quiet=False)
    assert list(console.progress(range(4), "image", lambda: 8)) == [0, 1, 2, 3]
    assert capsys.readouterr().err.splitlines() == [
        "2/8 images (25%), 0.2 images/s, 33 s left",
        "4/8 images (50%), 0.2 images/s, 22 s left",
    ]

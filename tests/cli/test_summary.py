"""What a run says at its end, and its exit code."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from imgcls.cli import summary as module
from imgcls.cli.summary import EXIT_SOME_FAILED, Summary
from imgcls.core.errors import ImgclsError, NoImagesError


@dataclass(frozen=True)
class Done:
    path: str = "a.jpg"
    error: str | None = None


class Said:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def closed(records: list[Done], monkeypatch: pytest.MonkeyPatch, seconds: float) -> tuple[int, str]:
    clock = iter([10.0, 10.0 + seconds])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    summary, said = Summary("image"), Said()
    assert list(summary.count(records)) == records
    code = summary.close(said)  # type: ignore[arg-type]  # only `say` is called
    return code, " ".join(said.lines)


def test_a_slow_run_has_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert closed([Done()] * 5, monkeypatch, 15.0) == (0, "5 images in 15.0 s (0.3 images/s)")


def test_a_clock_that_has_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    assert closed([Done()] * 2, monkeypatch, 0.0) == (0, "2 images in 0.0 s")


def test_some_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = closed([Done(), Done(error="x")], monkeypatch, 0.1)
    assert (code, said) == (EXIT_SOME_FAILED, "2 images in 0.1 s (20 images/s), 1 failed")


def test_nothing_and_nothing_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoImagesError, match="no image found"):
        closed([], monkeypatch, 0.1)
    with pytest.raises(NoImagesError, match=r"no image could be read \(1 failed\)"):
        closed([Done(error="x")], monkeypatch, 0.1)


def test_fail_fast_is_an_error() -> None:
    summary = Summary("image", fail_fast=True)
    with pytest.raises(ImgclsError, match=r"^a\.jpg: x; stopped"):
        list(summary.count([Done(error="x"), Done()]))


def test_what_was_to_be_done_is_said() -> None:
    summary = Summary("file", done="was moved back")
    assert len(list(summary.count([Done(error="x")] * 2))) == 2
    with pytest.raises(NoImagesError, match=r"no file was moved back \(2 failed\)"):
        summary.close(Said())  # type: ignore[arg-type]  # only `say` is called

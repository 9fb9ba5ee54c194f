"""The page that --report asks for: written, shown if wished, and checked before any work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.cli import viewer
from imgcls.cli.report_page import ReportPage
from imgcls.core.errors import OutputError, UsageError


def is_own(start: bytes) -> bool:
    return start.startswith(b"page")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what was shown; nothing opens a window."""
    paths: list[str] = []
    monkeypatch.setattr(viewer, "show", paths.append)
    return paths


def test_a_page_is_written_and_shown_if_wished(tmp_path: Path, shown: list[str]) -> None:
    path = str(tmp_path / "r.html")
    for wished in (False, True):
        page = ReportPage(path, wished, is_own)
        page.write(lambda: ["page ", "1"])
        page.show()
    assert Path(path).read_text() == "page 1"
    assert shown == [path]


def test_without_a_page_nothing_is_made(shown: list[str]) -> None:
    def pieces() -> Iterator[str]:
        raise AssertionError

    page = ReportPage(None, False, is_own)
    page.write(pieces)
    page.show()
    assert shown == []


def test_what_cannot_be_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"`show` opens what `report` FILE\.html writes; add it"):
        ReportPage(None, True, is_own)
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(OutputError, match="exists and is not an earlier output"):
        ReportPage(str(tmp_path / "mine.html"), False, is_own)

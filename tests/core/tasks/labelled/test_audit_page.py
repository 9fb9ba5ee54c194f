"""The page of an audit: every kind, thumbnails, and nothing that a name could slip in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgcls.core.tasks.labelled.audit import AuditReport, Finding
from imgcls.core.tasks.labelled.audit_page import MOST_FINDINGS, is_own, report_page
from imgcls.core.tasks.labelled.findings import KINDS


def finding(kind: str, *paths: str) -> Finding:
    return Finding(kind, KINDS[kind].severity, paths, KINDS[kind].advice)


def page(*findings: Finding) -> str:
    report = AuditReport(3, {"cat": 2, "<b>dog": 1}, {}, findings, "<i>photos")
    return "".join(report_page(report))


def test_findings_have_their_title_and_pictures(samples: Path, tmp_path: Path) -> None:
    cat = str(samples / "cat.jpg")
    shown = page(
        replace(finding("unreadable", str(tmp_path / "<script>.jpg")), reason="truncated <b>JPEG"),
        finding("duplicates", cat, cat),
        replace(finding("doubtful-label", cat), label="car", proposed="cat", score=0.75),
    )
    assert "3 findings in 3 images" in shown and "&lt;i&gt;photos" in shown
    assert shown.count("data:image/jpeg;base64,") == 3
    for kind in ("unreadable", "duplicates", "doubtful-label"):
        assert f"<h2>{KINDS[kind].found(1)} <" in shown
        assert f'class="badge {KINDS[kind].severity}">{KINDS[kind].severity}<' in shown
    assert '<p class="reason">Truncated &lt;b&gt;JPEG</p>' in shown
    assert "<s>car</s>" in shown and ">cat</b>" in shown and "75.0%" in shown
    assert "&lt;script&gt;.jpg" in shown and "<b>dog" not in shown
    assert is_own(shown.encode())


def test_what_is_too_many_is_counted(tmp_path: Path) -> None:
    gone = [finding("unreadable", str(tmp_path / f"{i}.jpg")) for i in range(MOST_FINDINGS + 5)]
    shown = page(*gone)
    assert f"<h2>{MOST_FINDINGS + 5} images cannot be read <" in shown
    assert shown.count("<article") == MOST_FINDINGS


@pytest.mark.parametrize("dark", [False, True])
def test_paths_are_whole_and_nobody_stumbles(  # type: ignore[no-untyped-def]
    browser, samples: Path, tmp_path: Path, dark: bool
) -> None:
    # Of an image under two labels the folders say the labels: they must not be cut off.
    shown = page(
        finding("conflicting-labels", str(samples / "cat.jpg"), "photos/train/a_dog/" + "0" * 60),
        replace(finding("doubtful-label", "a.jpg"), label="car", proposed="cat", score=0.75),
    )
    (tmp_path / "audit.html").write_text(shown, "utf-8")
    for width in (390, 1280):
        browser.look(width, dark=dark)
        browser.open(tmp_path / "audit.html")
        over = (
            "return [...document.querySelectorAll('.path')].map(e => e.scrollWidth > e.clientWidth)"
        )
        assert browser.run(over) == [False] * 3
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.faults() == []


def test_nothing_found() -> None:
    assert "Nothing found." in page()

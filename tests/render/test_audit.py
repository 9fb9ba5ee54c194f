"""The report of an audit in each format."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from imgcls.core.tasks.labelled.audit import AuditReport, Finding
from imgcls.core.tasks.labelled.findings import KINDS
from imgcls.render.audit import FORMATS


def finding(kind: str, *paths: str) -> Finding:
    return Finding(kind, KINDS[kind].severity, paths, KINDS[kind].advice)


def shown(name: str, report: AuditReport) -> str:
    return "".join(FORMATS[name](report))


REPORT = AuditReport(
    images=5,
    classes={"cat": 3, "big dog": 2},
    splits={"train": {"cat": 2, "big dog": 2}, "test": {"cat": 1, "big dog": 0}},
    findings=(
        replace(finding("unreadable", "cat/1.jpg"), reason="truncated \x1bJPEG"),
        finding("duplicates", "cat/2.jpg", "cat/3.jpg"),
        finding("duplicates", "cat/4.jpg", "cat/5.jpg", "cat/6.jpg"),
    ),
)


def test_a_doubtful_label_says_what_the_photo_looks_like() -> None:
    one = replace(
        finding("doubtful-label", "cat/7.jpg"), label="cat", proposed="big dog", score=2 / 3
    )
    report = replace(REPORT, findings=(one,))
    assert "    cat/7.jpg: labelled cat, looks like big dog (66.67%)\n" in shown("text", report)
    (found,) = json.loads(shown("json", report))["findings"]
    assert (found["label"], found["proposed"], found["score"]) == ("cat", "big dog", 0.666667)
    assert "proposed" not in json.loads(shown("json", REPORT))["findings"][0]


def test_text() -> None:
    assert shown("text", REPORT) == (
        "5 images in 2 classes\n"
        "  cat      3  (train 2, test 1)\n"
        "  big dog  2  (train 2, test 0)\n"
        "\n"
        "unreadable: 1 image cannot be read (error)\n"
        "  replace or delete it, or let finetune leave it out\n"
        "    cat/1.jpg: truncated \\x1bJPEG\n"
        "\n"
        "duplicates: 2 images are there more than once (warning)\n"
        "  keep one of them\n"
        "    cat/2.jpg  =  cat/3.jpg\n"
        "    cat/4.jpg  =  cat/5.jpg  =  cat/6.jpg\n"
    )


@pytest.mark.parametrize(
    ("images", "classes", "first"),
    [
        (1, {"cat": 1}, "1 image in 1 class\n  cat  1\n\nnothing found\n"),
        (0, {}, "0 images in 0 classes\n\nnothing found\n"),
    ],
)
def test_one_and_none(images: int, classes: dict[str, int], first: str) -> None:
    assert shown("text", AuditReport(images, classes, {}, ())) == first


@pytest.mark.parametrize(
    ("count", "more"), [(20, ""), (21, "    and 1 more (-f json lists them)\n")]
)
def test_text_shows_20_of_a_kind_and_the_others_all(count: int, more: str) -> None:
    findings = tuple(finding("unreadable", f"{number}.jpg") for number in range(count))
    report = AuditReport(count, {"cat": count}, {}, findings)
    text = shown("text", report)
    assert f"unreadable: {count} images cannot be read (error)" in text
    assert text.endswith("    19.jpg\n" + more)
    assert len(json.loads(shown("json", report))["findings"]) == count
    assert shown("csv", report).count("\n") == count + 1


def test_json_has_parts_only_where_the_folder_has() -> None:
    found = json.loads(shown("json", REPORT))
    assert list(found) == ["images", "classes", "splits", "findings"]
    assert found["findings"][0] == {
        "kind": "unreadable",
        "severity": "error",
        "paths": ["cat/1.jpg"],
        "advice": "replace or delete it, or let finetune leave it out",
        "reason": "truncated \x1bJPEG",
    }
    assert list(found["findings"][1]) == ["kind", "severity", "paths", "advice"]
    assert list(json.loads(shown("json", AuditReport(0, {}, {}, ())))) == [
        *("images", "classes", "findings"),
    ]


def test_csv_is_a_row_a_file_and_those_of_one_finding_have_one_number() -> None:
    assert shown("csv", REPORT).splitlines() == [
        "finding,kind,severity,path,advice",
        '1,unreadable,error,cat/1.jpg,"replace or delete it, or let finetune leave it out"',
        "2,duplicates,warning,cat/2.jpg,keep one of them",
        "2,duplicates,warning,cat/3.jpg,keep one of them",
        *(f"3,duplicates,warning,cat/{number}.jpg,keep one of them" for number in (4, 5, 6)),
    ]


def test_odd_names() -> None:
    odd = finding("class-name", "caf\udce9/\x1bx")
    report = AuditReport(0, {"\x1b[2J": 0}, {}, (odd,))
    assert "\x1b" not in shown("text", report) and "\\x1b[2J  0\n" in shown("text", report)
    written = shown("json", report)
    assert written.isascii() and json.loads(written)["findings"][0]["paths"] == list(odd.paths)

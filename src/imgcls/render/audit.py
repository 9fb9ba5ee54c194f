"""What an audit found → text, JSON or CSV: a row per format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from imgcls.core.csv_text import csv_line
from imgcls.core.safe import printable
from imgcls.core.tasks.labelled.audit import AuditReport, Finding
from imgcls.core.tasks.labelled.findings import KINDS
from imgcls.core.tasks.labelled.result_json import audit_json
from imgcls.core.words import counted
from imgcls.render.style import padded

_SHOWN = 20  # findings of a kind in the text; JSON and CSV have all
CSV_HEADER = ("finding", "kind", "severity", "path", "advice")


def text(report: AuditReport) -> Iterator[str]:
    """Yield the counts, then each kind of finding with its files and what to do."""
    yield f"{counted(report.images, 'image')} in {counted(len(report.classes), 'class')}\n"
    names = padded(map(printable, report.classes))
    for name, (label, count) in zip(names, report.classes.items(), strict=True):
        splits = ", ".join(f"{split} {counts[label]}" for split, counts in report.splits.items())
        yield f"  {name}  {count}{f'  ({splits})' if splits else ''}\n"
    for kind, group in groupby(report.findings, key=lambda finding: finding.kind):
        findings = list(group)
        row = KINDS[kind]
        yield f"\n{kind}: {row.found(len(findings))} ({row.severity})\n  {row.advice}\n"
        for finding in findings[:_SHOWN]:
            yield "    " + "  =  ".join(map(printable, finding.paths)) + f"{_more(finding)}\n"
        if len(findings) > _SHOWN:
            yield f"    and {len(findings) - _SHOWN} more (-f json lists them)\n"
    if not report.findings:
        yield "\nnothing found\n"


def _more(finding: Finding) -> str:
    """Return why an image cannot be read, or what a label may be instead; "" for other kinds."""
    if finding.reason:
        return f": {printable(finding.reason)}"
    if not finding.proposed:
        return ""
    label, proposed = printable(finding.label), printable(finding.proposed)
    return f": labelled {label}, looks like {proposed} ({finding.score:.2%})"


def json_object(report: AuditReport) -> Iterator[str]:
    """Yield one JSON object."""
    yield audit_json(report)


def csv_rows(report: AuditReport) -> Iterator[str]:
    """Yield a header, then a row per file; those of one finding have one number."""
    yield csv_line(CSV_HEADER)
    for number, finding in enumerate(report.findings, start=1):
        for path in finding.paths:
            yield csv_line((number, finding.kind, finding.severity, path, finding.advice))


FORMATS: Mapping[str, Callable[[AuditReport], Iterator[str]]] = {
    "text": text,
    "json": json_object,
    "csv": csv_rows,
}

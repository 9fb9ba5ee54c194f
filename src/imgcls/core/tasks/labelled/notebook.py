"""An evaluation and an audit in a notebook: their figures as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgcls.core.notebook import escaped, heading, paragraph, shown_up_to, table
from imgcls.core.words import counted

if TYPE_CHECKING:
    from imgcls.core.tasks.labelled.audit import AuditReport, Finding
    from imgcls.core.tasks.labelled.evaluation import Evaluation

# Up to this many classes, the confusion matrix is shown.
_MOST_CLASSES = 30
_TOP = 5  # of so few classes, the right one is always among the best five
_MOST_ROWS = 100
_MOST_PATHS = 5


def evaluation_html(evaluation: Evaluation) -> str:
    """Return the figures, the confusion matrix, the classes and the mistakes as HTML."""
    e = evaluation
    figures = [
        ("top-1", e.top1),
        *([("top-5", e.top5)] if len(e.labels) > _TOP else []),
        *(("macro F1", e.macro.f1), ("weighted F1", e.weighted.f1)),
        ("calibration error", e.ece),
    ]
    parts = [
        heading(f"{e.model} on {counted(e.images, 'image')}"),
        table(("figure", "value"), figures, shades=True),
    ]
    if len(e.labels) <= _MOST_CLASSES:
        parts += [paragraph("confusion matrix: rows true, columns predicted"), _matrix(e)]
    classes = [(c.label, c.precision, c.recall, c.f1, c.support) for c in e.classes]
    headings = ("class", "precision", "recall", "F1", "images")
    parts += [
        paragraph("by class"),
        table(headings, classes[:_MOST_ROWS]),
        shown_up_to(_MOST_ROWS, len(classes)),
    ]
    if e.misclassified:
        worst = sorted(e.misclassified, key=lambda mistake: -mistake.score)
        rows = [(m.path, m.label, m.predicted, m.score) for m in worst[:_MOST_ROWS]]
        parts += [
            paragraph(f"{len(worst)} misclassified, the surest first"),
            table(("image", "label", "predicted", "score"), rows),
            shown_up_to(_MOST_ROWS, len(worst)),
        ]
    if e.errors:
        failures = [(failure.path, failure.error) for failure in e.errors[:_MOST_ROWS]]
        parts += [
            paragraph(f"{len(e.errors)} that could not be scored"),
            table(("image", "error"), failures),
            shown_up_to(_MOST_ROWS, len(e.errors)),
        ]
    return "".join(parts)


def _matrix(e: Evaluation) -> str:
    """Return the confusion matrix, each cell shaded by its share of the row."""
    lines = []
    for label, counts in zip(e.labels, e.confusion_matrix.tolist(), strict=True):
        total = max(1, sum(counts))
        cells = "".join(
            f'<td style="text-align:right;background:rgba(33,113,181,{0.6 * count / total:.2f})">'
            f"{count}</td>"
            for count in counts
        )
        lines.append(f"<tr><th>{escaped(label)}</th>{cells}</tr>")
    top = "".join(f"<th>{escaped(label)}</th>" for label in e.labels)
    return f"<table><tr><th></th>{top}</tr>{''.join(lines)}</table>"


def audit_html(report: AuditReport) -> str:
    """Return the counts of the classes and what was found as HTML."""
    splits = list(report.splits)
    rows = [
        (label, count, *(report.splits[split].get(label, 0) for split in splits))
        for label, count in report.classes.items()
    ]
    found = [
        (finding.severity, finding.kind.replace("-", " "), _where(finding), finding.advice)
        for finding in report.findings
    ]
    title = f"{counted(report.images, 'image')} in {counted(len(rows), 'class')}"
    return "".join(
        [
            heading(title),
            table(("class", "images", *splits), rows[:_MOST_ROWS]),
            shown_up_to(_MOST_ROWS, len(rows)),
            paragraph(_findings(len(found))),
            table(("severity", "kind", "where", "advice"), found[:_MOST_ROWS]) if found else "",
            shown_up_to(_MOST_ROWS, len(found)),
        ]
    )


def _findings(count: int) -> str:
    return counted(count, "finding") if count else "nothing found"


def _where(finding: Finding) -> str:
    return _some(finding.paths) + (f": {finding.reason}" if finding.reason else "")


def _some(paths: tuple[str, ...]) -> str:
    more = f", … ({len(paths)})" if len(paths) > _MOST_PATHS else ""
    return ", ".join(paths[:_MOST_PATHS]) + more

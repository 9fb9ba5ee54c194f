"""Find what is wrong with a labelled folder before a model is trained on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from imgcls.core.tasks.labelled.dataset import read_dataset
from imgcls.core.tasks.labelled.findings import KINDS, Severity
from imgcls.core.tasks.labelled.inspection import InspectedDataset, inspect


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: a row of `KINDS`.
        severity: "error", "warning" or "note".
        paths: the files or folders it is about.
        advice: what to do about it.
    """

    kind: str
    severity: Severity
    paths: tuple[str, ...]
    advice: str


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        images: how many were looked at, unreadable ones too.
        classes: how many images each class has.
        splits: the same for "train", "validation" and "test"; empty where the folder has no
            such parts.
        findings: in the order of `KINDS`.
    """

    images: int
    classes: Mapping[str, int]
    splits: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]

    def count(self, kind: str) -> int:
        """Return how many findings are of a kind."""
        return sum(finding.kind == kind for finding in self.findings)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the classes and what was found."""
        from imgcls.core.tasks.labelled.notebook import audit_html

        return audit_html(self)


def audit(folder: str | os.PathLike[str]) -> AuditReport:
    """Find what is wrong with a labelled folder; nothing in it is changed.

    Args:
        folder: class folders, or train beside val or test folders that hold them; or a table, a
            CSV file with the columns path, label and, if wanted, split.

    Raises:
        UsageError: it is no labelled folder or table.

    Example:
        >>> import imgcls
        >>> report = imgcls.audit("photos")
        >>> report.images, dict(report.classes)
        (24, {'squares': 12, 'stripes': 12})
    """
    dataset = read_dataset(folder)
    return report(inspect(dataset))


def report(inspected: InspectedDataset) -> AuditReport:
    """Say what is wrong with a labelled folder whose images were looked at."""
    labels = inspected.dataset.labels
    splits = {part.split: Counter(dict.fromkeys(labels, 0)) for part in inspected.dataset.parts}
    for example in inspected.examples:
        splits[example.split][example.label] += 1
    findings = tuple(
        Finding(name, kind.severity, tuple(paths), kind.advice)
        for name, kind in KINDS.items()
        for paths in kind.check(inspected)
    )
    return AuditReport(
        images=len(inspected.examples),
        classes={label: sum(counts[label] for counts in splits.values()) for label in labels},
        splits={} if "all" in splits else {split: dict(n) for split, n in splits.items()},
        findings=findings,
    )

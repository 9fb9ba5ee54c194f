"""What is wrong with a labelled folder, from what is known of its images."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from imgcls.core.tasks.labelled.findings import KINDS, Severity
from imgcls.core.tasks.labelled.inspection import InspectedDataset
from imgcls.core.words import counted


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: a row of `KINDS`.
        severity: "error", "warning" or "note".
        paths: the files or folders it is about.
        advice: what to do about it.
        label: of a doubtful label, what the image is labelled; "" for other kinds.
        proposed: what it seems to show instead.
        score: of that, 0 to 1, by a classifier that did not learn the image.
        reason: why an unreadable image cannot be read; "" for other kinds.
    """

    kind: str
    severity: Severity
    paths: tuple[str, ...]
    advice: str
    label: str = ""
    proposed: str = ""
    score: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        images: how many were looked at, unreadable ones too.
        classes: how many images each class has.
        splits: the same for "train", "validation" and "test"; empty where the folder has no
            such parts.
        findings: in the order of `KINDS`.
        folder: what was looked at, a folder or a table.
    """

    images: int
    classes: Mapping[str, int]
    splits: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    folder: str = ""

    def __repr__(self) -> str:
        """Return how much was looked at and found."""
        findings, images = counted(len(self.findings), "finding"), counted(self.images, "image")
        return f"<AuditReport {self.folder}: {findings} in {images}>"

    def count(self, kind: str) -> int:
        """Return how many findings are of a kind."""
        return sum(finding.kind == kind for finding in self.findings)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page that `imgcls audit --report` writes, or what was found as JSON.

        Args:
            path: the file; its ending says as what it is written: .html or .json. An earlier one
                is written over, another file is not.

        Raises:
            UsageError: the ending is neither.
            OutputError: it cannot be written, or the file is something else.

        Example:
            >>> import imgcls
            >>> report = imgcls.audit("photos")
            >>> report.save("audit.html")
            >>> report.save("audit.json")
        """
        from imgcls.core.tasks.labelled.saving import save_audit

        save_audit(self, path)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the classes and what was found."""
        from imgcls.core.tasks.labelled.notebook import audit_html

        return audit_html(self)


def report(inspected: InspectedDataset) -> AuditReport:
    """Say what is wrong with a labelled folder whose images were looked at."""
    labels = inspected.dataset.labels
    splits = {part.split: Counter(dict.fromkeys(labels, 0)) for part in inspected.dataset.parts}
    for example in inspected.examples:
        splits[example.split][example.label] += 1
    findings = tuple(
        Finding(name, kind.severity, tuple(found.paths), kind.advice, reason=found.reason)
        for name, kind in KINDS.items()
        for found in kind.check(inspected)
    )
    return AuditReport(
        images=len(inspected.examples),
        classes={label: sum(counts[label] for counts in splits.values()) for label in labels},
        splits={} if "all" in splits else {split: dict(n) for split, n in splits.items()},
        findings=findings,
        folder=inspected.dataset.folder,
    )

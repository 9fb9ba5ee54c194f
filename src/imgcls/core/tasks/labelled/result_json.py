"""What was found out about labelled images, as JSON.

ASCII only: a path that is not valid UTF-8 round-trips as lone surrogates.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from imgcls.core.rounding import rounded

if TYPE_CHECKING:
    from imgcls.core.tasks.labelled.audit import AuditReport
    from imgcls.core.tasks.labelled.evaluation import Evaluation
    from imgcls.core.tasks.labelled.metrics import CalibrationBin, ClassScores
    from imgcls.core.tasks.labelled.trust import Recommendation, Risk, Unfamiliar


def evaluation_json(evaluation: Evaluation) -> str:
    """Return one JSON object on a line, keys in the order of the contract."""
    found = {
        "images": evaluation.images,
        "top1": rounded(evaluation.top1),
        "top5": rounded(evaluation.top5),
        "classes": [
            {"label": one.label, **scores_json(one), "support": one.support}
            for one in evaluation.classes
        ],
        "macro": scores_json(evaluation.macro),
        "weighted": scores_json(evaluation.weighted),
        "labels": list(evaluation.labels),
        "confusion_matrix": evaluation.confusion_matrix.tolist(),
        "ece": rounded(evaluation.ece),
        "coverage": [
            {
                "min_confidence": one.min_confidence,
                "coverage": rounded(one.coverage),
                "accuracy": None if one.accuracy is None else rounded(one.accuracy),
            }
            for one in evaluation.coverage
        ],
        "misclassified": [
            {
                "path": one.path,
                "label": one.label,
                "predicted": one.predicted,
                "score": rounded(one.score),
                "label_score": rounded(one.label_score),
                "label_rank": one.label_rank,
            }
            for one in evaluation.misclassified
        ],
        "errors": [{"path": one.path, "error": one.error} for one in evaluation.errors],
        "model": evaluation.model,
        "top1_interval": [rounded(bound) for bound in evaluation.interval],
        "reliability": [_rounded(one) for one in evaluation.bins],
        "risk_coverage": [_rounded(one) for one in evaluation.risks],
        "recommended": evaluation.recommended and _rounded(evaluation.recommended),
        **({"unfamiliar": _rounded(evaluation.unfamiliar)} if evaluation.unfamiliar else {}),
    }
    return json.dumps(found) + "\n"


def _rounded(row: CalibrationBin | Risk | Recommendation | Unfamiliar) -> dict[str, Any]:
    return {
        name: rounded(value) if isinstance(value, float) else value
        for name, value in asdict(row).items()
    }


def scores_json(scores: ClassScores) -> dict[str, float]:
    """Return the shares of a class, or their mean over classes."""
    figures = {"precision": scores.precision, "recall": scores.recall, "f1": scores.f1}
    return {name: rounded(value) for name, value in figures.items()}


def audit_json(report: AuditReport) -> str:
    """Return one JSON object, each of its values on a line of its own."""
    findings = [
        {
            "kind": finding.kind,
            "severity": finding.severity,
            "paths": finding.paths,
            "advice": finding.advice,
            **({"reason": finding.reason} if finding.reason else {}),
            **(
                {
                    "label": finding.label,
                    "proposed": finding.proposed,
                    "score": rounded(finding.score),
                }
                if finding.proposed
                else {}
            ),
        }
        for finding in report.findings
    ]
    splits = {"splits": report.splits} if report.splits else {}
    found = {"images": report.images, "classes": report.classes, **splits, "findings": findings}
    return json.dumps(found, indent=1) + "\n"

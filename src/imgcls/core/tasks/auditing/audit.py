"""Audit a labelled folder: what its files show, and on demand what its labels hide."""

from __future__ import annotations

import os
from dataclasses import replace

from imgcls.core.engines.model import Model, load_model
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.tasks.auditing.labels import doubtful_labels
from imgcls.core.tasks.labelled.audit import AuditReport, report
from imgcls.core.tasks.labelled.dataset import read_dataset
from imgcls.core.tasks.labelled.inspection import inspect


def audit(
    folder: str | os.PathLike[str],
    *,
    labels: bool = False,
    model: str | Model = DEFAULT_MODEL,
) -> AuditReport:
    """Find what is wrong with a labelled folder; nothing in it is changed.

    Args:
        folder: class folders, or train beside val or test folders that hold them; or a table, a
            CSV file with the columns path, label and, if wanted, split.
        labels: whether to look for labels that the photos contradict, which takes the features of
            all photos.
        model: whose features those are; a name from the table of models, or an open model.

    Raises:
        ModelError: the model is unknown or cannot be run.
        UsageError: it is no labelled folder or table.

    Example:
        >>> import imgcls
        >>> report = imgcls.audit("photos")
        >>> report.images, dict(report.classes)
        (24, {'squares': 12, 'stripes': 12})
    """
    inspected = inspect(read_dataset(folder))
    found = report(inspected)
    if not labels:
        return found
    opened = model if isinstance(model, Model) else load_model(model)
    return replace(found, findings=(*found.findings, *doubtful_labels(inspected, opened)))

"""What was found out about labelled images as a file: a page to look at, or JSON."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from imgcls.core.errors import UsageError
from imgcls.core.output_file import check_output, write_file
from imgcls.core.tasks.labelled import audit_page, evaluation_page
from imgcls.core.tasks.labelled.result_json import audit_json, evaluation_json

if TYPE_CHECKING:
    from PIL import Image

    from imgcls.core.tasks.labelled.audit import AuditReport
    from imgcls.core.tasks.labelled.evaluation import Evaluation

# Up to where the JSON of one kind is always the same: the first key.
_FIRST_KEY = len('{"images"')


def save_evaluation(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    heatmap: Callable[[str], Image.Image] | None,
) -> None:
    """Write an evaluation; see `Evaluation.save`."""
    draw = None if heatmap is None else lambda source: heatmap(source.name)
    page = partial(evaluation_page.report_page, evaluation, draw)
    json = partial(evaluation_json, evaluation)
    _save(path, "an evaluation", page, evaluation_page.is_own, json)


def save_audit(report: AuditReport, path: str | os.PathLike[str]) -> None:
    """Write what an audit found; see `AuditReport.save`."""
    page, json = partial(audit_page.report_page, report), partial(audit_json, report)
    _save(path, "an audit", page, audit_page.is_own, json)


def _save(
    path: str | os.PathLike[str],
    what: str,
    page: Callable[[], Iterable[str]],
    is_page: Callable[[bytes], bool],
    json: Callable[[], str],
) -> None:
    """Write a result as the ending of a file's name says.

    Args:
        path: the file; an earlier one of the same kind is written over, another is not.
        what: it is, for messages.
        page: makes the page, for .html.
        is_page: whether a file's first bytes are those of such a page.
        json: makes the JSON, for .json.

    Raises:
        UsageError: the ending is neither.
        OutputError: it cannot be written, or the file is something else.
    """
    name = os.fspath(path)
    ending = os.path.splitext(name)[1].lower()
    if ending == ".html":
        check_output(name, is_page)
        write_file(name, page())
    elif ending == ".json":
        content = json()
        first = content[:_FIRST_KEY].encode()
        check_output(name, lambda start: start.startswith(first))
        write_file(name, [content])
    else:
        raise UsageError(f"{name}: {what} is written as .html or .json; name such a file")

"""What an audit found → one HTML page: each kind with thumbnails of its images."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from imgcls.core.errors import as_image_error
from imgcls.core.page import data_address, is_page_of, least_size, template, thumbnail
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.labelled.findings import KINDS

if TYPE_CHECKING:
    from imgcls.core.tasks.labelled.audit import AuditReport, Finding
    from imgcls.core.tasks.labelled.findings import Kind

# Of each kind; beyond them the page counts.
MOST_FINDINGS = 100
_MOST_PATHS = 6  # of one finding
_PICTURE = 160  # pixels


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with the pictures of its images as `data:` addresses; None where there is none."""

    finding: Finding
    pictures: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The findings of one kind.

    Attributes:
        name: of the kind.
        kind: its row.
        count: how many there are.
        shown: those with pictures, made as they are asked for.
    """

    name: str
    kind: Kind
    count: int
    shown: Iterator[Shown]


def report_page(report: AuditReport) -> Iterator[str]:
    """Yield one self-contained page."""
    sections = []
    for name, group in groupby(report.findings, key=lambda finding: finding.kind):
        findings = list(group)
        shown = map(_shown, findings[:MOST_FINDINGS])
        sections.append(Section(name, KINDS[name], len(findings), shown))
    yield from template("audit.html").generate(it=report, sections=sections, side=_PICTURE)


def is_own(start: bytes) -> bool:
    """Whether a file's first bytes are an earlier report's."""
    return is_page_of("audit", start)


def _shown(finding: Finding) -> Shown:
    paths = finding.paths[:_MOST_PATHS]
    return Shown(finding, tuple((path, _picture(path)) for path in paths))


def _picture(path: str) -> str | None:
    if not os.path.isfile(path):
        return None  # a folder has no picture
    try:
        picture = open_image(Source(path).read(), least_size(_PICTURE)).image
        return data_address(thumbnail(picture, _PICTURE))
    except Exception as error:  # one that cannot be read is a finding, not the page's end
        as_image_error(error)  # logs it
        return None

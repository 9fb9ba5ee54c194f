"""A look at the machine → text or JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from imgcls.core.safe import printable
from imgcls.core.tasks.doctor.doctor import Checkup
from imgcls.render.models import align


def text(found: Checkup) -> Iterator[str]:
    """Yield facts, packages and variables in columns, then the troubles, a line each."""
    versions = {name: version or "not installed" for name, version in found.packages.items()}
    for part in (found.facts, versions, found.environment):
        if part:
            yield from align([(name, printable(value)) for name, value in part.items()])
            yield "\n"
    if not found.troubles:
        yield "No trouble found.\n"
    for trouble in found.troubles:
        yield f"Trouble: {printable(trouble)}\n"


def as_json(found: Checkup) -> Iterator[str]:
    """Yield one JSON object; a package that is absent has no version."""
    fields = dataclasses.asdict(found)
    fields["packages"] = {name: version or None for name, version in found.packages.items()}
    yield json.dumps(fields, indent=1) + "\n"


FORMATS: Mapping[str, Callable[[Checkup], Iterator[str]]] = MappingProxyType(
    {"text": text, "json": as_json}
)

"""What `export` made → text."""

from __future__ import annotations

from collections.abc import Iterator

from imgcls.core.safe import printable
from imgcls.core.tasks.export.export import ExportedModel
from imgcls.core.words import counted
from imgcls.render.models import size_text


def text(name: str, done: ExportedModel) -> Iterator[str]:
    """Yield the line that is the result."""
    what = f"{done.format} {done.precision}, {size_text(done.size)}"
    yield f"{printable(name)}: {what}, {_compared(done)}\n"


def notes(done: ExportedModel) -> Iterator[str]:
    """Yield where labels and preprocessing are."""
    where = "the file" if done.beside is None else printable(str(done.beside))
    yield f"labels and preprocessing are in {where}"


def _compared(done: ExportedModel) -> str:
    if done.bound is None:
        same = round(done.agreement * done.images)
        return (
            f"names the same class for {same} of {counted(done.images, 'photo')} "
            f"(at least {done.least_agreement:.0%})"
        )
    return (
        f"scores within {done.max_difference:.0e} on {counted(done.images, 'image')} "
        f"(at most {done.bound:.0e})"
    )

"""`imgcls predict --sort-into` and `--undo`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from imgcls.cli.console import Console
from imgcls.cli.options import bundle
from imgcls.cli.output import write_stdout
from imgcls.cli.summary import Summary
from imgcls.core.errors import UsageError
from imgcls.core.safe import printable
from imgcls.core.tasks.classify.classify import Record
from imgcls.core.tasks.classify.placing import SORT_MODES
from imgcls.core.words import counted

if TYPE_CHECKING:
    from imgcls.core.tasks.classify.sorting import Sorter
    from imgcls.core.tasks.classify.undo import Undone

options = bundle(
    click.option(
        "--sort-into",
        metavar="DIR",
        help="Put each image into a folder of its label in DIR; others into unknown and errors.",
    ),
    click.option(
        "--sort-mode",
        type=click.Choice(list(SORT_MODES)),
        help="How it gets there.  [default: copy]",
    ),
    click.option("--dry-run", is_flag=True, help="Only print what --sort-into or --undo would do."),
    click.option(
        "--undo",
        metavar="MANIFEST",
        help="Undo the moves recorded in MANIFEST, which --sort-into wrote into DIR.",
    ),
)


def plan(sorter: Sorter, records: Iterable[Record]) -> Iterator[str]:
    """Yield a line an image: from where to where."""
    for placement in sorter.plan(records):
        yield f"{printable(placement.source)} -> {printable(placement.target)}\n"


@contextlib.contextmanager
def reported(console: Console, sorter: Sorter | None) -> Iterator[None]:
    """Say at the end, also at an early one, what was sorted and how to take it back."""
    try:
        yield
    finally:
        if sorter is not None and sorter.manifest is not None:
            images, folder = counted(sorter.placed, "image"), os.path.dirname(sorter.manifest)
            console.say(f"sorted {images} into {folder}; to undo: --undo {sorter.manifest}")


def take_back(console: Console, manifest: str, dry_run: bool, others: bool) -> int:
    """Undo what a manifest lists, print a line an image, and return the exit code.

    Args:
        console: for the closing line.
        manifest: the path of the list.
        dry_run: print what would be done, and touch nothing.
        others: whether there are other arguments.

    Raises:
        UsageError: there are other arguments, or it is no manifest.
    """
    if others:
        raise UsageError("--undo goes alone, without INPUT, --sort-into and --output")
    from imgcls.core.tasks.classify.undo import undo

    summary = Summary("file", done="was moved back")
    write_stdout(map(_undone, summary.count(undo(manifest, dry_run=dry_run))))
    if summary.done == 0:
        console.say(f"{manifest}: nothing to take back")
        return 0
    return summary.close(console)


def _undone(one: Undone) -> str:
    if one.error is not None:
        return f"{printable(one.path)}: error: {printable(one.error)}\n"
    end = ": removed" if one.removed else f" -> {printable(one.source)}"
    return f"{printable(one.path)}{end}\n"

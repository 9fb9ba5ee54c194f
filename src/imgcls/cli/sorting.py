"""`imgcls predict --sort-into` and `--undo`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

import click

from imgcls.cli.console import Console
from imgcls.cli.options import bundle
from imgcls.cli.output import write_stdout
from imgcls.cli.tally import Tally
from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.classify import Record
from imgcls.core.tasks.classify.manifest import undo
from imgcls.core.tasks.classify.sorting import SORT_MODES, Sorter, SortMode, check_sort_into
from imgcls.render.safe import printable

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
    click.option("--dry-run", is_flag=True, help="Only print what --sort-into would do."),
    click.option(
        "--undo",
        metavar="MANIFEST",
        help="Take back the moves that a manifest lists; --sort-into writes one into DIR.",
    ),
)


def check(
    inputs: tuple[str, ...],
    sort_into: str | None,
    sort_mode: SortMode | None,
    dry_run: bool,
    output: str | None,
    format_name: str | None,
) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: they do, or DIR lies in an input.
    """
    if sort_into is None and (sort_mode is not None or dry_run):
        raise UsageError("--sort-mode and --dry-run go with --sort-into")
    if dry_run and (output is not None or format_name is not None):
        raise UsageError("--dry-run prints a plan, not predictions; leave out -o and -f")
    if sort_into is not None:
        check_sort_into(sort_into, inputs)


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
            images = "1 image" if sorter.placed == 1 else f"{sorter.placed} images"
            folder = os.path.dirname(sorter.manifest)
            console.say(f"sorted {images} into {folder}; to undo: --undo {sorter.manifest}")


def take_back(console: Console, manifest: str, arguments: bool) -> int:
    """Undo what a manifest lists, print a line an image, and return the exit code.

    Raises:
        UsageError: there are other arguments, or it is no manifest.
    """
    if arguments:
        raise UsageError("--undo goes alone, without INPUT, --sort-into and --output")
    tally = Tally("file")
    write_stdout(
        f"{printable(one.path)} -> {printable(one.source)}\n"
        if one.error is None
        else f"{printable(one.path)}: error: {printable(one.error)}\n"
        for one in tally.count(undo(manifest))
    )
    if tally.done == 0:
        console.say(f"{manifest}: nothing to take back")
        return 0
    return tally.close(console)

"""`imgcls predict`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import click

from imgcls.cli import options, sorting
from imgcls.cli.console import Console
from imgcls.cli.output import check_output, is_special, stdout_style, write_file, write_stdout
from imgcls.cli.tally import EXIT_SOME_FAILED, Tally
from imgcls.core.engines.model import Model
from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.classify import Record, classify, load_calibrated
from imgcls.core.tasks.classify.record_file import RecordFile
from imgcls.core.tasks.classify.sorting import Sorter, SortMode
from imgcls.render.predictions import FORMATS, Format, format_of


@click.command(short_help="Classify images.")
@options.inputs
@options.model
@click.option(
    "-k",
    "--top",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="N",
    help="How many classes to show; 0 is every class.",
)
@click.option(
    "-f",
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    help="How to show them.  [default: as the ending of --output says, else text]",
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, not to stdout.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with an interrupted FILE.part, or add to FILE (jsonl, csv).",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="P",
    help="An image whose best score is below P is unknown.",
)
@options.preprocessing
@options.precision
@options.workers
@sorting.options
@click.option("--fail-fast", is_flag=True, help="Stop at the first image that fails.")
@click.pass_obj
def predict(
    console: Console,
    /,
    inputs: tuple[str, ...],
    files_from: str | None,
    null: bool,
    model: str,
    weights: str | None,
    engine: Any,
    precision: Any,
    format_name: str | None,
    output: str | None,
    resume: bool,
    sort_into: str | None,
    sort_mode: SortMode | None,
    dry_run: bool,
    undo: str | None,
    fail_fast: bool,
    **how: Any,
) -> int:
    """Classify images.

    INPUT is a file, a folder, a quoted glob, a URL, or - for one image on stdin.
    """
    if undo is not None:
        others = bool(inputs or files_from or sort_into or output)
        return sorting.take_back(console, undo, others)
    sources = options.sources(inputs, files_from, null)
    sorting.check(inputs, sort_into, sort_mode, dry_run, output, format_name)
    format_ = _format(format_name, output)
    tally = Tally("image", ", ".join(inputs), fail_fast=fail_fast)
    opened, sources = load_calibrated(
        model, sources, weights=weights, engine=engine, precision=precision, threads=how["workers"]
    )
    sorter = Sorter(sort_into, opened.labels, sort_mode or "copy") if sort_into else None
    growing = _growing(output, format_, resume, opened, how | {"precision": precision})
    with sorting.reported(console, sorter), growing as grown:
        todo = grown.todo(sources) if grown else sources
        records = classify(todo, opened, pixels=format_.pixels, **how)
        records = tally.count(console.progress(records, "images"))
        if sorter and dry_run:
            write_stdout(sorting.plan(sorter, records))
        else:
            _write(sorter.sort(records) if sorter else records, format_, how["top"], output, grown)
    tally.skipped = grown.skipped if grown else 0
    return tally.close(console) or (EXIT_SOME_FAILED if sorter and sorter.failed else 0)


def _format(name: str | None, output: str | None) -> Format:
    format_ = FORMATS[name or format_of(output)]
    format_.check()
    if output is not None:
        check_output(output, format_.begins)
    elif format_.binary:
        raise UsageError(f"{name} is no text; name a file with --output")
    return format_


@contextlib.contextmanager
def _growing(
    output: str | None, format_: Format, resume: bool, model: Model, how: dict[str, Any]
) -> Iterator[RecordFile | None]:
    """Open the output if it is one that grows record by record; else None."""
    if output is not None and format_.grows and not is_special(output):
        alike = sorted((name, value) for name, value in how.items() if name != "workers")
        facts = repr((model.name, model.network.weights_id, alike))
        with RecordFile(output, header=format_.header, options=facts, resume=resume) as file:
            yield file
    elif resume:
        raise UsageError("--resume goes with --output FILE in jsonl or csv")
    else:
        yield None


def _write(
    records: Iterable[Record],
    format_: Format,
    top: int,
    output: str | None,
    grown: RecordFile | None,
) -> None:
    if grown is not None:
        for piece in format_.render(records, top):
            grown.append(piece)
    elif output is not None:
        write_file(output, format_.pieces(records, top))
    else:
        write_stdout(format_.pieces(records, top, stdout_style()))

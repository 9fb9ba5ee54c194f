"""`imgcls predict`."""

from __future__ import annotations

from typing import Any

import click

from imgcls.cli import options
from imgcls.cli.console import Console
from imgcls.cli.output import check_output, is_special, write_file, write_stdout
from imgcls.cli.tally import Tally
from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify import classify, load_calibrated
from imgcls.core.tasks.resume import RecordFile
from imgcls.render.predictions import FORMATS, format_of


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
    fail_fast: bool,
    **how: Any,
) -> int:
    """Classify images.

    INPUT is a file, a folder, a quoted glob, a URL, or - for one image on stdin.
    """
    sources = options.sources(inputs, files_from, null)
    format_ = FORMATS[format_name or format_of(output)]
    if output is not None:
        check_output(output, format_.begins)
    grows = output is not None and format_.is_a_piece_a_record and not is_special(output)
    if resume and not grows:
        raise UsageError("--resume goes with --output FILE in jsonl or csv")
    tally = Tally("image", fail_fast=fail_fast)
    opened, sources = load_calibrated(
        model, sources, weights=weights, engine=engine, precision=precision, threads=how["workers"]
    )
    if output is not None and grows:
        alike = sorted((name, value) for name, value in how.items() if name != "workers")
        facts = repr((opened.name, opened.network.weights_id, precision, alike))
        with RecordFile(output, header=format_.header, options=facts, resume=resume) as file:
            records = classify(file.todo(sources), opened, **how)
            counted = tally.count(console.progress(records, "images"))
            for piece in format_.render(counted, how["top"]):
                file.append(piece)
        tally.skipped = file.skipped
        return tally.close(console)
    records = console.progress(classify(sources, opened, **how), "images")
    pieces = format_.pieces(tally.count(records), how["top"])
    if output is None:
        write_stdout(pieces)
    else:
        write_file(output, pieces)
    return tally.close(console)

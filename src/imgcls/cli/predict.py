"""`imgcls predict`."""

from __future__ import annotations

from typing import Any

import click

from imgcls.cli import options
from imgcls.cli.console import Console
from imgcls.cli.output import check_output, stdout_style, write_file, write_stdout
from imgcls.cli.tally import Tally
from imgcls.core.engines.model import load_model
from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify import classify
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
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="P",
    help="An image whose best score is below P is unknown.",
)
@options.preprocessing
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
    format_name: str | None,
    output: str | None,
    fail_fast: bool,
    **how: Any,
) -> int:
    """Classify images.

    INPUT is a file, a folder, a quoted glob, a URL, or - for one image on stdin.
    """
    sources = options.sources(inputs, files_from, null)
    format_ = FORMATS[format_name or format_of(output)]
    format_.check()
    if output is not None:
        check_output(output, format_.begins)
    elif format_.binary:
        raise UsageError(f"{format_name} is no text; name a file with --output")
    tally = Tally("image", fail_fast=fail_fast)
    opened = load_model(model, weights=weights, engine=engine, threads=how["workers"])
    records = classify(sources, opened, pixels=format_.pixels, **how)
    counted = tally.count(console.progress(records, "images"))
    if output is None:
        style = stdout_style()
        write_stdout(format_.render(counted, how["top"], style), style)
    else:
        write_file(output, format_.render(counted, how["top"]), grows=format_.grows)
    return tally.close(console)

"""`imgcls predict`."""

from __future__ import annotations

import functools

import click

from imgcls.cli import clustering, drawing, options, report_folder, sorting
from imgcls.cli.console import Console
from imgcls.cli.destination import Destination
from imgcls.cli.sink import open_sink
from imgcls.cli.summary import EXIT_SOME_FAILED, Summary
from imgcls.core.engines.engine import EngineName, Precision
from imgcls.core.engines.model import Model
from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.classify.classify import classify_sources, load_calibrated, record_facts
from imgcls.core.tasks.classify.options import MIN_FAMILIARITY, ClassifyOptions, SortOptions
from imgcls.core.tasks.classify.placing import SortMode
from imgcls.core.tasks.cluster.run import Job
from imgcls.core.tasks.cluster.work import Work
from imgcls.render.predictions import FORMATS, Format

_IN_PARTS = ("parquet", "jsonl")  # the formats of a cluster's files


@click.command()
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
@report_folder.option
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with an interrupted FILE.part, or add to FILE (jsonl, csv).",
)
@click.option("--force", is_flag=True, help="Let --output replace the results of other inputs.")
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="P",
    help="An image whose best score is below P is unknown.",
)
@click.option(
    "--min-familiarity",
    type=click.FloatRange(0, 1),
    default=MIN_FAMILIARITY,
    show_default=True,
    metavar="P",
    help="With a model that finetune wrote, an image less like those it learned than all but "
    "this part of its validation photos is unknown too; 0 for none.",
)
@options.preprocessing
@options.precision
@options.workers
@sorting.options
@drawing.options
@clustering.options
@click.option("--fail-fast", is_flag=True, help="Stop at the first image that fails.")
@click.pass_obj
def predict(
    console: Console,
    /,
    *,
    inputs: tuple[str, ...],
    files_from: str | None,
    null: bool,
    model: str,
    weights: str | None,
    engine: EngineName,
    precision: Precision,
    top: int,
    min_confidence: float,
    min_familiarity: float,
    resize: Resize | None,
    interpolation: Interpolation | None,
    workers: int | None,
    format_name: str | None,
    output: str | None,
    report_dir: str | None,
    resume: bool,
    force: bool,
    sort_into: str | None,
    sort_mode: SortMode | None,
    dry_run: bool,
    undo: str | None,
    draw: str | None,
    show: bool,
    cluster: str | None,
    part_size: int | None,
    fail_fast: bool,
) -> int:
    """Classify images.

    \b
    imgcls predict cat.jpg
    imgcls predict photos/ -o photos.csv --resume

    INPUT is a file, a folder, a quoted glob, a URL, or - for one image on stdin.
    """
    if undo is not None:
        others = bool(
            inputs or files_from or sort_into or sort_mode or output or report_dir or draw or show
        )
        return sorting.take_back(console, undo, dry_run, others)
    refused = {
        "fail_fast": fail_fast,
        "report_dir": report_dir,
        "resume": resume,
        "sort_into": sort_into,
        "sort_mode": sort_mode,
        "dry_run": dry_run,
        "draw": draw,
        "show": show,
    }
    if where := clustering.chosen(cluster, part_size, workers, refused):
        how = ClassifyOptions(
            top=top,
            min_confidence=min_confidence,
            min_familiarity=min_familiarity,
            resize=resize,
            interpolation=interpolation,
            workers=1,
        )
        folder = clustering.output_folder(output)
        in_parts = _format_in_parts(format_name or "parquet")
        sources = options.sources(inputs, files_from, null)
        opened, sources = load_calibrated(
            model, sources, weights=weights, engine=engine, precision=precision
        )
        named = (*inputs, *filter(None, [files_from]))
        job = _job(named, opened, how, in_parts)
        return clustering.run(console, job, folder, where, opened, sources, force=force)
    sort = SortOptions(sort_into, sort_mode, dry_run)
    report = report_folder.chosen(report_dir, output, format_name)
    to = Destination(report.page if report else output, format_name, resume, force, sort, report)
    drawings = drawing.Drawings(draw, show, to)
    how = ClassifyOptions(
        top=top,
        min_confidence=min_confidence,
        min_familiarity=min_familiarity,
        resize=resize,
        interpolation=interpolation,
        workers=workers,
        view=to.format.view,
    )
    sources = to.checked(inputs, options.sources(inputs, files_from, null), files_from is not None)
    opened, sources = load_calibrated(
        model, sources, weights=weights, engine=engine, precision=precision, threads=workers
    )
    summary = Summary("image", ", ".join(inputs), fail_fast=fail_fast)
    with open_sink(to, opened, how, precision, console) as sink:
        records = drawings.records(sink.todo(sources), opened, how)
        sink.write(summary.count(console.progress(records, "images")))
    summary.skipped = sink.skipped
    code = summary.close(console)
    drawings.close(console)
    return code or (EXIT_SOME_FAILED if sink.unsorted or drawings.failed else 0)


def _format_in_parts(name: str) -> Format:
    """Return the format of a cluster's parts.

    Raises:
        UsageError: it does not come in parts.
        OutputError: it lacks a library.
    """
    if name not in _IN_PARTS:
        raise UsageError(f"`cluster` writes {' or '.join(_IN_PARTS)}; leave out --format {name}")
    FORMATS[name].check()
    return FORMATS[name]


def _job(named: tuple[str, ...], model: Model, how: ClassifyOptions, format_: Format) -> Job:
    """Return what the workers of a cluster have to do."""
    return Job(
        command="predict",
        inputs=named,
        work=Work(
            functools.partial(classify_sources, options=how),
            functools.partial(format_.render, top=how.top),
        ),
        facts=record_facts(model, how, model.precision),
        ending=format_.endings[0],
        options={
            "top": how.top,
            "min_confidence": how.min_confidence,
            "resize": how.resize,
            "interpolation": how.interpolation,
        },
    )

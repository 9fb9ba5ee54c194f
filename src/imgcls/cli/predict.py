"""`imgcls predict`."""

from __future__ import annotations

import functools
from dataclasses import replace

import click

from imgcls.cli import clustering, drawing, options, report_folder, sorting
from imgcls.cli.console import Console
from imgcls.cli.destination import Destination
from imgcls.cli.sink import open_sink
from imgcls.cli.summary import EXIT_SOME_FAILED, Summary
from imgcls.cli.totals import any_there, count_ahead, total
from imgcls.core.engines.engine import EngineName, Precision
from imgcls.core.models.labels import Language
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.classify.classify import load_calibrated
from imgcls.core.tasks.classify.options import MIN_FAMILIARITY, ClassifyOptions, SortOptions
from imgcls.core.tasks.classify.placing import SortMode
from imgcls.render.predictions import FORMATS


@click.command()
@options.inputs
@options.model
@options.language
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
    language: Language,
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
    how = ClassifyOptions(
        top=top,
        min_confidence=min_confidence,
        min_familiarity=min_familiarity,
        resize=resize,
        interpolation=interpolation,
        workers=workers,
    )
    opener = functools.partial(
        load_calibrated,
        model,
        weights=weights,
        engine=engine,
        precision=precision,
        language=language,
    )
    if where := clustering.chosen(
        *(cluster, part_size, workers),
        fail_fast=fail_fast,
        report_dir=report_dir,
        resume=resume,
        sort_into=sort_into,
        sort_mode=sort_mode,
        dry_run=dry_run,
        draw=draw,
        show=show,
    ):
        from imgcls.cli import cluster_run

        parts = cluster_run.Parts(where, output, format_name, force=force)
        opened, sources = opener(options.sources(inputs, files_from, null))
        job = cluster_run.predict_job(cluster_run.named(inputs, files_from), opened, how, parts)
        return cluster_run.run(console, job, parts, opened, sources)
    sort = SortOptions(sort_into, sort_mode, dry_run)
    report = report_folder.chosen(report_dir, output, format_name)
    to = Destination(report.page if report else output, format_name, resume, force, sort, report)
    drawings = drawing.Drawings(draw, show, to)
    sources = to.checked(inputs, options.sources(inputs, files_from, null), files_from is not None)
    # A file that grows keeps what made it, for a run that goes on with it.
    there, sources = (True, sources) if to.grows else any_there(sources, inputs, files_from)
    images, sources = count_ahead(engine, precision, sources, files_from)
    if there:
        opened, sources = opener(sources, threads=workers, images=images)
    else:
        from imgcls.core.engines.closed import closed_model

        opened = closed_model(model, weights, language)
    how = replace(how, view=to.format.view)
    summary = Summary("image", ", ".join(inputs), fail_fast=fail_fast)
    with open_sink(to, opened, how, precision, console) as sink:
        records = drawings.records(sink.todo(sources), opened, how)
        counted = total(inputs, files_from, null=null, skipped=lambda: sink.skipped)
        sink.write(summary.count(console.progress(records, "image", counted)))
    summary.skipped = sink.skipped
    code = summary.close(console)
    drawings.close(console)
    return code or (EXIT_SOME_FAILED if sink.unsorted or drawings.failed else 0)

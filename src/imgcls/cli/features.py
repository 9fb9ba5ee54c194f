"""`imgcls features`."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Iterable, Iterator

import click

from imgcls.cli import clustering, options
from imgcls.cli.console import Console
from imgcls.cli.replacing import Earlier, check_same_inputs, part_of
from imgcls.cli.summary import Summary
from imgcls.cli.totals import any_there, total
from imgcls.core.engines.closed import closed_model
from imgcls.core.engines.engine import EngineName
from imgcls.core.engines.model import load_model
from imgcls.core.errors import OutputError, UsageError
from imgcls.core.output_file import check_output, is_special
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.journal import has_journal
from imgcls.core.tasks.classify.record_file import RecordFile
from imgcls.core.tasks.features.features import (
    FeatureOptions,
    FeatureRow,
    count_features,
    feature_rows,
    row_facts,
    sources_of,
    unread_rows,
)
from imgcls.core.tasks.labelled.table import is_table
from imgcls.render.features import Format, format_of

log = logging.getLogger("imgcls")


@click.command()
@options.inputs
@click.option(
    "-o",
    "--output",
    "out",
    required=True,
    metavar="FILE",
    help="Write to FILE; its ending, .npz, .npy, .parquet, .csv or .jsonl, says how. With "
    "--cluster, a folder of Parquet files.",
)
@options.model
@options.features("Which features: the")
@options.size
@options.preprocessing
@options.workers
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with an interrupted FILE.part, or add to FILE (csv, jsonl).",
)
@click.option("--force", is_flag=True, help="Let --output replace the results of other inputs.")
@clustering.options
@click.option("--fail-fast", is_flag=True, help="Stop at the first image that fails.")
@click.pass_obj
def features(
    console: Console,
    /,
    *,
    inputs: tuple[str, ...],
    files_from: str | None,
    null: bool,
    out: str,
    model: str,
    weights: str | None,
    engine: EngineName,
    features_: str | None,
    size: int | None,
    resize: Resize | None,
    interpolation: Interpolation | None,
    workers: int | None,
    resume: bool,
    force: bool,
    cluster: str | None,
    part_size: int | None,
    fail_fast: bool,
) -> int:
    """Write what a network sees in images as arrays.

    \b
    imgcls features photos/ -o photos.npz
    imgcls features photos/ -o photos.parquet -m resnet50

    A row for each image, in order: its path and its features, the numbers on which the network's
    classifier, or one that finetune trains, stands. Images in class folders have a label too.
    INPUT is a file, a folder, a quoted glob, a URL, - for one image on stdin, or a .csv file with
    the columns path and label.
    """
    if where := clustering.chosen(cluster, part_size, workers, fail_fast=fail_fast, resume=resume):
        from imgcls.cli import cluster_run

        parts = cluster_run.Parts(where, out, "parquet", force=force)
        sources = options.sources(inputs, files_from, null, expand=_checked_inputs)
        how = FeatureOptions(features_, size, resize, interpolation)
        opened = load_model(model, weights=weights, engine=engine, variant=how.variant)
        job = cluster_run.features_job(cluster_run.named(inputs, files_from), opened, how)
        return cluster_run.run(console, job, parts, opened, sources)
    format_ = _checked(out)
    if force and resume:
        raise UsageError("`force` replaces the file of `out`; it does not go with `resume`")
    sources = options.sources(inputs, files_from, null, expand=_checked_inputs)
    if not force and not (resume and has_journal(out)):
        listed = files_from is not None or any(map(is_table, inputs))
        sources = check_same_inputs(
            [Earlier(out, format_.names), Earlier(part_of(out), format_.part_names)],
            inputs,
            sources,
            listed=listed,
            resumable=format_.finish is None and not resume,
        )
    how = FeatureOptions(
        features=features_,
        size=size,
        resize=resize,
        interpolation=interpolation,
        workers=workers,
    )
    summary = Summary("image", ", ".join(inputs), fail_fast=fail_fast)
    there, sources = (True, sources) if resume else any_there(sources, inputs, files_from)
    if not there:
        rows = unread_rows(sources, closed_model(model, weights))
        for _ in summary.count(_with_warnings(rows)):
            pass
        return summary.close(console)
    opened = load_model(model, weights=weights, engine=engine, threads=workers, variant=how.variant)
    count = count_features(opened)
    with RecordFile(
        out,
        header=format_.header(count),
        options=row_facts(opened, how),
        resume=resume,
        finish=functools.partial(format_.finish, count=count) if format_.finish else None,
    ) as file:
        rows = feature_rows(file.todo(sources), opened, how)
        counted = total(inputs, files_from, null=null, skipped=lambda: file.skipped, tables=True)
        shown = console.progress(rows, "image", counted)
        for row in summary.count(_with_warnings(shown)):
            file.append(format_.record(row, count))
        summary.skipped = file.skipped
        summary.check()  # of nothing but failures no output is made
    return summary.close(console)


def _checked_inputs(inputs: Iterable[str]) -> Iterator[Source]:
    """Return the sources of the inputs; what is wrong with a table is said before any work."""
    return itertools.chain.from_iterable([sources_of(one) for one in inputs])


def _checked(out: str) -> Format:
    """Return the format of an output; refuse what cannot or must not be written."""
    format_ = format_of(out)
    format_.check()
    check_output(out, format_.begins)
    if is_special(out):
        raise OutputError(f"{out}: is a device or a pipe; name a file")
    return format_


def _with_warnings(rows: Iterable[FeatureRow]) -> Iterator[FeatureRow]:
    for row in rows:
        if row.error is not None:
            log.warning("%s: %s", row.path, row.error)
        yield row

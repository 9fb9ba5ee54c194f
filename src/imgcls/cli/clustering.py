"""`--cluster`: what several commands need to do their work on a Ray cluster."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import click

from imgcls.cli.console import Console
from imgcls.cli.options import bundle
from imgcls.cli.summary import Summary
from imgcls.core.engines.model import Model
from imgcls.core.errors import UsageError
from imgcls.core.files import is_offline
from imgcls.core.pixels.sources import Source
from imgcls.core.stores import check_stores, is_store
from imgcls.core.tasks.cluster.job_folder import JobFolder
from imgcls.core.tasks.cluster.options import DEFAULT_PART_SIZE, ClusterOptions
from imgcls.core.tasks.cluster.ray_cluster import check_ray
from imgcls.core.tasks.cluster.run import ClusterRun, Job, Progress

options = bundle(
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Work on a Ray cluster: local, auto or ray://HOST:PORT; --output is then a folder.",
    ),
    click.option(
        "--part-size",
        type=click.IntRange(min=1),
        metavar="N",
        help=f"With --cluster, how many images one file has.  [default: {DEFAULT_PART_SIZE}]",
    ),
)


def chosen(
    address: str | None, part_size: int | None, workers: int | None, refused: dict[str, Any]
) -> ClusterOptions | None:
    """Return the cluster that the options name; None for this process.

    Args:
        address: as `--cluster`.
        part_size: as `--part-size`.
        workers: as `--workers`.
        refused: parameter → value of the options that do not go with a cluster.

    Raises:
        UsageError: they contradict each other, or Ray is not here.
    """
    if address is None:
        if part_size is not None:
            raise UsageError("`part_size` goes with `cluster`")
        return None
    if others := [f"`{name}`" for name, value in refused.items() if value]:
        raise UsageError(f"`cluster` does not go with {' or '.join(others)}")
    how = ClusterOptions(address, part_size or DEFAULT_PART_SIZE, workers)
    check_ray()
    return how


def output_folder(output: str | None) -> JobFolder:
    """Return the folder that the parts go to.

    Raises:
        UsageError: none is named, or one in a store that cannot be reached.
    """
    if output is None:
        raise UsageError("`cluster` writes a folder of parts; name it with `out`")
    if is_store(output):
        check_stores(output)
        if is_offline():
            raise UsageError(f"{output}: the network is forbidden (IMGCLS_OFFLINE)")
    return JobFolder(output)


def run(
    console: Console,
    job: Job,
    folder: JobFolder,
    how: ClusterOptions,
    model: Model,
    sources: Iterable[Source],
    *,
    force: bool,
) -> int:
    """Do a job on a cluster; show how far it is, say what was done, return the exit code.

    Args:
        console: what shows it.
        job: what to do.
        folder: where the parts go.
        how: where, and how it is divided.
        model: what the images go through.
        sources: the inputs, in order.
        force: whether the results of another job may be replaced.
    """
    started = time.monotonic()
    work, progress = ClusterRun(job, folder, how), Progress()
    work.begin(model, force=force)
    summary = Summary("image", ", ".join(job.inputs))
    missing = work.plan(sources, progress)

    def images() -> Iterator[None]:
        for note in work.make(model, missing, progress):
            summary.done += note.images
            yield from [None] * note.images

    for _ in console.progress(images(), "images", progress.images - progress.there):
        pass
    work.summarize(model, progress, time.monotonic() - started)
    summary.failed, summary.skipped = progress.failed, progress.there
    return summary.close(console)

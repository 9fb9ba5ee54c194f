"""What commands do on a Ray cluster: the job, the folder of its parts, and the run."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from imgcls.cli.console import Console
from imgcls.cli.summary import Summary
from imgcls.core.engines.model import Model
from imgcls.core.errors import UsageError
from imgcls.core.offline import is_offline
from imgcls.core.pixels.sources import Source
from imgcls.core.stores import check_stores, is_store
from imgcls.core.tasks.classify.classify import classify_sources, record_facts
from imgcls.core.tasks.classify.options import ClassifyOptions
from imgcls.core.tasks.cluster.job_folder import JobFolder
from imgcls.core.tasks.cluster.options import ClusterOptions
from imgcls.core.tasks.cluster.run import ClusterRun, Job, Progress
from imgcls.core.tasks.cluster.work import Work
from imgcls.core.tasks.features.features import (
    FeatureOptions,
    count_features,
    feature_rows,
    row_facts,
)
from imgcls.render.features import parquet_part
from imgcls.render.predictions import FORMATS

IN_PARTS = ("parquet", "jsonl")  # the formats of a cluster's files


class Parts:
    """Where the parts of a job go, and how it is divided."""

    def __init__(
        self, how: ClusterOptions, output: str | None, format_name: str | None, *, force: bool
    ) -> None:
        """Check what the options say.

        Args:
            how: the cluster.
            output: as `--output`.
            format_name: as `--format`; default: Parquet.
            force: whether the results of another job may be replaced.

        Raises:
            UsageError: no folder is named, it lies in a store that cannot be reached, or the
                format does not come in parts.
            OutputError: the format lacks a library.
        """
        if output is None:
            raise UsageError("`cluster` writes a folder of parts; name it with `out`")
        if is_store(output):
            check_stores(output)
            if is_offline():
                raise UsageError(f"{output}: the network is forbidden (IMGCLS_OFFLINE)")
        name = format_name or IN_PARTS[0]
        if name not in IN_PARTS:
            raise UsageError(f"`cluster` writes {' or '.join(IN_PARTS)}; leave out --format {name}")
        self.format = FORMATS[name]
        self.format.check()
        self.how, self.folder, self.force = how, JobFolder(output), force


def named(inputs: tuple[str, ...], files_from: str | None) -> tuple[str, ...]:
    """Return what the user named as inputs, for the job's summary."""
    return (*inputs, *filter(None, [files_from]))


def predict_job(inputs: tuple[str, ...], model: Model, how: ClassifyOptions, parts: Parts) -> Job:
    """Return what the workers of a cluster, with a core each, have to do for predict."""
    how = replace(how, workers=1)
    return Job(
        command="predict",
        inputs=inputs,
        work=Work(
            functools.partial(classify_sources, options=how),
            functools.partial(parts.format.render, top=how.top),
        ),
        facts=record_facts(model, how, model.precision),
        ending=parts.format.endings[0],
        options={
            "top": how.top,
            "min_confidence": how.min_confidence,
            "min_familiarity": how.min_familiarity,
            "resize": how.resize,
            "interpolation": how.interpolation,
        },
    )


def features_job(inputs: tuple[str, ...], model: Model, how: FeatureOptions) -> Job:
    """Return what the workers of a cluster, with a core each, have to do for features."""
    how = replace(how, workers=1)
    count = count_features(model)
    return Job(
        command="features",
        inputs=inputs,
        work=Work(
            functools.partial(feature_rows, options=how),
            functools.partial(parquet_part, count=count),
        ),
        facts=row_facts(model, how),
        ending=".parquet",
        options={
            "features": how.features,
            "columns": count,
            "size": model.preprocessing.size,
            "resize": how.resize,
            "interpolation": how.interpolation,
        },
    )


def run(console: Console, job: Job, parts: Parts, model: Model, sources: Iterable[Source]) -> int:
    """Do a job on a cluster; show how far it is, say what was done, return the exit code.

    Args:
        console: what shows it.
        job: what to do.
        parts: where its parts go, and how it is divided.
        model: what the images go through.
        sources: the inputs, in order.
    """
    summary, started = Summary("image", ", ".join(job.inputs)), time.monotonic()
    summary.begin()
    work, progress = ClusterRun(job, parts.folder, parts.how), Progress()
    work.begin(model, force=parts.force)
    missing = work.plan(sources, progress)

    def images() -> Iterator[None]:
        for note in work.make(model, missing, progress):
            summary.done += note.images
            yield from [None] * note.images

    for _ in console.progress(images(), "image", progress.images - progress.there):
        pass
    work.summarize(model, progress, time.monotonic() - started)
    summary.failed, summary.skipped = progress.failed, progress.there
    return summary.close(console)

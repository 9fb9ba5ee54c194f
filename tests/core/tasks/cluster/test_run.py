"""A job: what is listed, what is missing, what the summary says. No cluster is started here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgcls.core.engines.model import load_model
from imgcls.core.errors import ClusterError, OutputError, UsageError
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.cluster.job_folder import JobFolder, Note
from imgcls.core.tasks.cluster.options import ClusterOptions
from imgcls.core.tasks.cluster.run import ClusterRun, Job, Progress
from imgcls.core.tasks.cluster.work import Work

FIVE = [Source(f"{number}.jpg") for number in range(5)]


def nothing(*_: Any) -> list[Any]:
    return []


@pytest.fixture
def run(tmp_path: Path) -> ClusterRun:
    (tmp_path / "out").mkdir()
    job = Job("predict", ("in",), Work(nothing, nothing), "facts", ".jsonl", {"top": 5})
    return ClusterRun(job, JobFolder(str(tmp_path / "out")), ClusterOptions("local", 2))


def finish(run: ClusterRun, names: list[str]) -> list[Note]:
    notes = [Note(name, 1, images=2, failed=1, errors=[["x", "bad"]]) for name in names]
    for note in notes:
        run.folder.finish(b"x", note)
    return notes


def test_what_is_there_is_not_made_again(run: ClusterRun) -> None:
    progress = Progress()
    missing = run.plan(FIVE, progress)
    assert (len(missing), progress.images, progress.there) == (3, 5, 0)
    finish(run, missing[:2])
    progress = Progress()
    assert run.plan(FIVE, progress) == missing[2:]
    assert (progress.images, progress.there, progress.failed) == (5, 4, 2)
    assert run.folder.take(missing[2]) == (FIVE[4:], 0)


def test_parts_of_inputs_that_are_gone_go(run: ClusterRun) -> None:
    finish(run, run.plan(FIVE, Progress()))
    progress = Progress()
    assert run.plan(FIVE[:4], progress) == []
    assert (progress.there, progress.removed) == (4, 1)


def test_standard_input_is_refused(run: ClusterRun) -> None:
    with pytest.raises(UsageError, match="`cluster` cannot read an image from stdin"):
        run.plan([Source("-", "stdin")], Progress())


@pytest.mark.usefixtures("compiled_default")
def test_the_summary_counts_what_was_there_too(run: ClusterRun) -> None:
    model = load_model(threads=1)
    run.begin(model, force=False)
    missing = run.plan(FIVE[:4], Progress())
    kept, done = finish(run, missing)
    run.summarize(model, Progress(images=4, there=2, done=[done], kept=[kept]), seconds=2.0)
    summary = json.loads(Path(run.folder.path, "_summary.json").read_text())
    assert [summary[key] for key in ("images", "ok", "unknown", "failed", "parts")] == [
        4,
        2,
        0,
        2,
        2,
    ]
    assert summary["errors"] == [{"path": "x", "error": "bad"}] * 2
    assert (summary["model"], summary["options"]) == ("efficientnet-lite0", {"top": 5})
    assert summary["last_run"]["images_per_second"] == 1.0
    # Another size of the parts is another job.
    other = replace(run, options=ClusterOptions("local", 3))
    with pytest.raises(OutputError, match="has results of other options"):
        other.begin(model, force=False)


def test_a_bucket_that_cannot_be_listed_ends_the_command(run: ClusterRun) -> None:
    denied = Source("s3://b/photos", "missing", "cannot be listed: access denied")
    with pytest.raises(ClusterError, match=r"^s3://b/photos: cannot be listed: access denied$"):
        run.plan([denied], Progress())
    # A file that is missing is a record like any other.
    assert len(run.plan([Source("gone*", "missing", "no file matches")], Progress())) == 1

"""The same work as on one machine, in parts, by the workers of a cluster."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from imgcls.core.engines.model import Model
from imgcls.core.errors import ClusterError, UsageError
from imgcls.core.offline import is_offline
from imgcls.core.pixels.source import Source
from imgcls.core.stores import is_store
from imgcls.core.tasks.cluster.job_folder import JobFolder, Note
from imgcls.core.tasks.cluster.options import ClusterOptions
from imgcls.core.tasks.cluster.parcel import pack
from imgcls.core.tasks.cluster.parts import parts_of
from imgcls.core.tasks.cluster.ray_cluster import connected, run_parts
from imgcls.core.tasks.cluster.work import Order, Work
from imgcls.core.version import __version__

log = logging.getLogger("imgcls")

_ERRORS_SHOWN = 100


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Attributes:
        command: "predict" or "features".
        inputs: as the user named them.
        work: what is done with each part.
        facts: all that decides what a record says, besides the input itself.
        ending: of the parts' files.
        options: for people, in the summary.
    """

    command: str
    inputs: tuple[str, ...]
    work: Work
    facts: str
    ending: str
    options: dict[str, Any]


@dataclass
class Progress:
    """How far a job is.

    Attributes:
        images: how many inputs there are.
        there: how many of them had their records before.
        done: the notes of the parts made now.
        kept: those of the parts made before.
        removed: parts of inputs that are no longer there.
    """

    images: int = 0
    there: int = 0
    done: list[Note] = field(default_factory=list)
    kept: list[Note] = field(default_factory=list)
    removed: int = 0

    @property
    def failed(self) -> int:
        """How many inputs have an error as their record."""
        return sum(note.failed for note in (*self.done, *self.kept))


@dataclass(frozen=True)
class ClusterRun:
    """A job, where its results go, and where it is done."""

    job: Job
    folder: JobFolder
    options: ClusterOptions

    def begin(self, model: Model, *, force: bool) -> None:
        """Take the output folder for this job.

        Raises:
            OutputError: it holds something else, or the results of another job.
        """
        facts = hashlib.sha256(f"{self.job.facts}{self.options.part_size}".encode()).hexdigest()
        self.folder.begin(
            {
                "written_by": f"imgcls {self.job.command}",
                "inputs": list(self.job.inputs),
                "model": model.name,
                "options": facts,
            },
            force=force,
        )

    def plan(self, sources: Iterable[Source], progress: Progress) -> list[str]:
        """List the inputs; return the names of the parts that are missing.

        Args:
            sources: the inputs, in order.
            progress: told what is there.

        Raises:
            UsageError: standard input is one of them.
            ClusterError: a store does not say what it holds.
        """
        there = {note.part: note for note in self.folder.done()}
        missing, all_parts = [], set()
        for part in parts_of(sources, self.job.facts, self.options.part_size, self.job.ending):
            for source in part.sources:
                _check(source)
            progress.images += len(part.sources)
            all_parts.add(part.name)
            if part.name in there:
                progress.there += len(part.sources)
                progress.kept.append(there[part.name])
            else:
                missing.append(part.name)
                self.folder.plan(part)
        progress.removed = self.folder.remove_parts(all_parts, planned=set(missing))
        return missing

    def make(self, model: Model, missing: list[str], progress: Progress) -> Iterator[Note]:
        """Make the missing parts on the cluster; yield the note of each as it is done.

        Raises:
            ClusterError: it does not answer, or workers die again and again.
        """
        if not missing:
            return
        self.folder.remove_summary()
        parcel, content = pack(model)
        order = Order(
            self.job.work,
            parcel,
            self.folder,
            os.getcwd(),
            is_offline(),
            log.isEnabledFor(logging.DEBUG),
        )
        workers = self.options.workers
        with (
            connected(self.options, content) as ray,
            contextlib.closing(run_parts(ray, order, content, missing, workers)) as notes,
        ):
            for note in notes:
                progress.done.append(note)
                yield note

    def summarize(self, model: Model, progress: Progress, seconds: float) -> None:
        """Write `_summary.json`."""
        made = sum(note.images for note in progress.done)
        notes = sorted((*progress.done, *progress.kept), key=lambda note: note.part)
        unknown = sum(note.unknown for note in notes)
        errors = [error for note in notes for error in note.errors][:_ERRORS_SHOWN]
        self.folder.write_summary(
            {
                "command": self.job.command,
                "imgcls": __version__,
                "inputs": list(self.job.inputs),
                "model": model.name,
                "weights_sha256": model.network.weights_id,
                "engine": model.engine.name,
                "precision": model.precision,
                "options": self.job.options,
                "images": progress.images,
                "ok": progress.images - progress.failed - unknown,
                "unknown": unknown,
                "failed": progress.failed,
                "errors": [{"path": path, "error": error} for path, error in errors],
                "parts": len(notes),
                "worker_seconds": round(sum(note.seconds for note in notes), 1),
                "worker_cpu_seconds": round(sum(note.cpu_seconds for note in notes), 1),
                "last_run": {
                    "cluster": self.options.address,
                    "images": made,
                    "seconds": round(seconds, 1),
                    "images_per_second": round(made / seconds, 1) if seconds > 0 else None,
                    "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                },
            }
        )


def _check(source: Source) -> None:
    if source.kind == "stdin":
        raise UsageError("`cluster` cannot read an image from stdin; name a file")
    if source.kind == "missing" and is_store(source.name):
        # As a record it would hide that a whole bucket is left out.
        raise ClusterError(f"{source.name}: {source.reason}")

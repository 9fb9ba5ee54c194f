"""The folder of a job: parts of the output, a note on each that is whole, a summary.

```
part-000000-0123456789abcdef.parquet   the records of the first inputs
_summary.json                          what was done, written when all is
_job/job.json                          what the job is
_job/part-….json                       a note: the part's size and counts, written after it
_job/part-….inputs.json                what a part is to be made of, until it is made
```
Whoever reads a folder of Parquet files (Arrow, Spark, Hive) passes over names that begin with an
underscore. A part counts as done while its note is there and its size is the one that the note
has.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from imgcls.core.errors import OutputError
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.cluster.parts import Part, is_part_name, packed, unpacked
from imgcls.core.tasks.cluster.places import Place, place_of

_JOB = "_job"
_JOB_FILE = f"{_JOB}/job.json"
SUMMARY_FILE = "_summary.json"


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a part.

    Attributes:
        part: its name.
        size: of its file, in bytes.
        images: how many inputs it has.
        failed: how many of them are errors.
        unknown: how many are "unknown".
        seconds: that it took one worker.
        cpu_seconds: of them, what the processor was at work.
        errors: path and reason of the first that failed.
    """

    part: str
    size: int
    images: int
    failed: int = 0
    unknown: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    errors: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The output folder of a job, which every worker can write.

    Attributes:
        path: as the user named it: a folder, or a prefix in an object store.
    """

    path: str

    @property
    def _place(self) -> Place:
        return place_of(self.path)

    def begin(self, job: dict[str, Any], *, force: bool) -> None:
        """Take the folder for a job, made if need be.

        Args:
            job: what the job is, as JSON can have it.
            force: whether the results of another job may be removed.

        Raises:
            OutputError: it holds something else, or the results of another job.
        """
        names = self._place.sizes()
        earlier = self._earlier_job()
        if earlier is None and names:
            raise OutputError(
                f"{self.path}: holds {sorted(names)[0]}, which is no result of such a run; name "
                "another folder"
            )
        if earlier is not None and earlier != job:
            if not force and any(map(is_part_name, names)):
                other = [key for key in job if earlier.get(key) != job[key]]
                raise OutputError(
                    f"{self.path}: has results of other {' and '.join(other) or 'options'}; name "
                    "another folder, or replace them with `force`"
                )
            self.remove_parts(set(), planned=set())
        self._place.write(_JOB_FILE, json.dumps(job).encode())

    def done(self) -> Iterator[Note]:
        """Yield the notes of the parts that are there, whole."""
        sizes = self._place.sizes()
        for name in self._place.sizes(_JOB):
            part = name.removesuffix(".json")
            if is_part_name(part) and part in sizes:
                note = self._note(part)
                if note is not None and note.size == sizes[part]:
                    yield note

    def note_of(self, part: str) -> Note | None:
        """Return the note of a part that is there, whole; else None."""
        note = self._note(part)
        return note if note is not None and self._place.size(part) == note.size else None

    def plan(self, part: Part) -> None:
        """Write down what a part is to be made of."""
        self._write_inputs(part.name, {"tries": 0, "inputs": packed(part.sources)})

    def take(self, name: str) -> tuple[list[Source], int]:
        """Return what a part is to be made of, and how often it was taken before.

        Who takes it a second time knows that a worker died over it.

        Raises:
            OutputError: another run has taken the folder.
        """
        content = self._place.read(f"{_JOB}/{name}.inputs.json")
        if content is None:
            raise OutputError(f"{self.path}: another run works in it, too; start it again alone")
        planned = json.loads(content)
        tries = int(planned["tries"])
        self._write_inputs(name, planned | {"tries": tries + 1})
        return unpacked(planned["inputs"]), tries

    def finish(self, content: bytes, note: Note) -> None:
        """Write a part, then the note that it is whole."""
        self._place.write(note.part, content)
        self._place.write(f"{_JOB}/{note.part}.json", json.dumps(asdict(note)).encode())
        self._place.remove(f"{_JOB}/{note.part}.inputs.json")

    def remove_parts(self, keep: set[str], planned: set[str]) -> int:
        """Remove the parts that are not of this job, and what is noted of them.

        Args:
            keep: the names of this job's parts.
            planned: those of them that are to be made.

        Returns:
            How many parts were removed.
        """
        removed = 0
        for name in self._place.sizes():
            if is_part_name(name) and name not in keep:
                self._place.remove(name)
                removed += 1
        for name in self._place.sizes(_JOB):
            part = name.removesuffix(".json").removesuffix(".inputs")
            wanted = planned if name.endswith(".inputs.json") else keep
            if is_part_name(part) and part not in wanted:
                self._place.remove(f"{_JOB}/{name}")
        return removed

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Write `_summary.json`."""
        self._place.write(SUMMARY_FILE, json.dumps(summary, indent=1).encode() + b"\n")

    def remove_summary(self) -> None:
        """Remove the summary of an earlier run: it says that all is done."""
        self._place.remove(SUMMARY_FILE)

    def _earlier_job(self) -> dict[str, Any] | None:
        content = self._place.read(_JOB_FILE)
        if content is None:
            return None
        with contextlib.suppress(ValueError):
            job = json.loads(content)
            return job if isinstance(job, dict) else {}
        return {}  # ours, but damaged

    def _write_inputs(self, part: str, planned: dict[str, Any]) -> None:
        self._place.write(f"{_JOB}/{part}.inputs.json", json.dumps(planned).encode())

    def _note(self, part: str) -> Note | None:
        with contextlib.suppress(ValueError, TypeError):
            return Note(**json.loads(self._place.read(f"{_JOB}/{part}.json") or b"null"))
        return None

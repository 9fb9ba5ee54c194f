"""What a worker does with a part."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from imgcls.core.engines.model import Model, load_model
from imgcls.core.errors import ClusterError, ModelError, UsageError
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.cluster.job_folder import JobFolder, Note
from imgcls.core.tasks.cluster.parcel import pack
from imgcls.core.tasks.cluster.parts import parts_of
from imgcls.core.tasks.cluster.work import Counts, Order, Work, Worker, read_ahead


@dataclass
class Answer:
    path: str
    status: str
    error: str | None


def make(sources: Iterable[Source], model: Model) -> Iterator[Answer]:
    for source in sources:
        bad = source.name.startswith("bad")
        yield Answer(source.name, "error" if bad else "unknown", "it is bad" if bad else None)


def write(answers: Iterable[Answer]) -> Iterator[str | bytes]:
    yield b"head\n"
    for answer in answers:
        yield f"{answer.path}\n"


@pytest.fixture
def order(tmp_path: Path, compiled_default: Path) -> tuple[Order, bytes]:
    parcel, content = pack(load_model(threads=1))
    folder = JobFolder(str(tmp_path / "out"))
    return Order(Work(make, write), parcel, folder, os.getcwd(), True, False), content


def test_a_part_is_made_once(order: tuple[Order, bytes]) -> None:
    worker, folder = Worker(*order), order[0].folder
    (part,) = parts_of([Source("a\udcff"), Source("bad")], "facts", 2, ".jsonl")
    folder.plan(part)
    note = worker.do(part.name)
    path = Path(folder.path, part.name)
    assert path.read_bytes() == b"head\na\xff\nbad\n"
    assert note == Note(
        part.name,
        size=12,
        images=2,
        failed=1,
        unknown=1,
        seconds=note.seconds,
        cpu_seconds=note.cpu_seconds,
        errors=[["bad", "it is bad"]],
    )
    written = path.stat().st_mtime_ns
    assert worker.do(part.name) == note  # again, after the node that made it died
    assert path.stat().st_mtime_ns == written


def test_a_part_that_kills_every_worker_is_given_up(order: tuple[Order, bytes]) -> None:
    worker, folder = Worker(*order), order[0].folder
    (part,) = parts_of([Source("a"), Source("b")], "facts", 2, ".jsonl")
    folder.plan(part)
    for _ in range(6):
        folder.take(part.name)  # and die
    with pytest.raises(
        ClusterError, match=rf"^6 workers died over {part.name} \(a to b\); is there"
    ):
        worker.do(part.name)


def test_another_version_is_refused(order: tuple[Order, bytes]) -> None:
    with pytest.raises(ModelError, match=r"has imgcls .*, not 0\.0\.9; install the same version"):
        Worker(replace(order[0], imgcls="0.0.9"), order[1])


def test_a_node_that_lacks_the_folder_says_so(order: tuple[Order, bytes]) -> None:
    with pytest.raises(UsageError, match=r"does not see /no/such \(No such file or directory\)"):
        Worker(replace(order[0], working_folder="/no/such"), order[1])


def test_what_is_far_is_read_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    near = [Source("a.jpg")]
    assert read_ahead(near) is near
    monkeypatch.setenv("IMGCLS_OFFLINE", "1")
    far = Source("http://127.0.0.1:9/a.jpg", "url")
    found = list(read_ahead([*near, far, *near]))
    assert [one.name for one in found] == ["a.jpg", far.name, "a.jpg"]
    assert found[0] == near[0]  # not read, however long the disk takes
    assert (found[1].kind, found[1].reason[:11]) == ("missing", "not fetched")


def test_errors_are_noted_up_to_a_number() -> None:
    counts = Counts()
    list(counts.of(Answer(str(number), "error", "bad") for number in range(30)))
    assert (counts.images, counts.failed, len(counts.errors)) == (30, 30, 20)


def test_a_verbose_worker_says_what_it_meets(
    order: tuple[Order, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a process of Ray's the logger has no handler, and debug messages went nowhere."""
    log = logging.getLogger("imgcls")
    monkeypatch.setattr(log, "handlers", [])
    Worker(replace(order[0], verbose=True), order[1])
    log.debug("met")
    assert capsys.readouterr().err.splitlines()[-1] == "met"

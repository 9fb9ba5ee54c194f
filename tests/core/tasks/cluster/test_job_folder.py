"""The output folder of a job: what is whole, what is missing, what is not ours."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imgcls.core.errors import OutputError
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.cluster.job_folder import JobFolder, Note
from imgcls.core.tasks.cluster.parts import Part, parts_of

JOB = {"written_by": "imgcls predict", "inputs": ["in"], "model": "m", "options": "o"}


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    folder = JobFolder(str(tmp_path / "out"))
    folder.begin(JOB, force=False)
    return folder


def part(name: str = "a.jpg") -> Part:
    (one,) = parts_of([Source(name)], "facts", 1, ".jsonl")
    return one


def made(folder: JobFolder, one: Part) -> Note:
    folder.plan(one)
    note = Note(one.name, size=4, images=1)
    folder.finish(b"abc\n", note)
    return note


def test_a_part_that_is_whole_is_done(folder: JobFolder) -> None:
    one = part()
    folder.plan(one)
    assert folder.take(one.name) == ([Source("a.jpg")], 0)
    assert folder.take(one.name) == ([Source("a.jpg")], 1)  # by another, for the first died
    assert (list(folder.done()), folder.note_of(one.name)) == ([], None)
    note = made(folder, one)
    assert (list(folder.done()), folder.note_of(one.name)) == ([note], note)
    assert sorted(os.listdir(folder.path)) == ["_job", one.name]
    assert sorted(os.listdir(f"{folder.path}/_job")) == ["job.json", f"{one.name}.json"]


def test_a_part_that_is_cut_or_gone_or_without_a_whole_note_is_not(folder: JobFolder) -> None:
    cut, gone, unnoted, damaged = map(part, "abcd")
    for one in (cut, gone, unnoted, damaged):
        made(folder, one)
    Path(folder.path, cut.name).write_bytes(b"ab")
    Path(folder.path, gone.name).unlink()
    Path(folder.path, "_job", f"{unnoted.name}.json").unlink()
    Path(folder.path, "_job", f"{damaged.name}.json").write_bytes(b'{"part": ')
    assert list(folder.done()) == []
    assert [folder.note_of(one.name) for one in (cut, gone, unnoted, damaged)] == [None] * 4


def test_parts_of_other_inputs_go(folder: JobFolder) -> None:
    kept, gone, planned, not_planned = map(part, "abcd")
    made(folder, kept)
    made(folder, gone)
    folder.plan(planned)
    folder.plan(not_planned)
    Path(folder.path, "notes.txt").write_text("a user's own")
    keep = {kept.name, planned.name}
    assert folder.remove_parts(keep, planned={planned.name}) == 1
    assert sorted(os.listdir(folder.path)) == ["_job", "notes.txt", kept.name]
    assert sorted(os.listdir(f"{folder.path}/_job")) == sorted(
        ["job.json", f"{kept.name}.json", f"{planned.name}.inputs.json"]
    )


def test_the_same_job_goes_on_and_another_is_refused(folder: JobFolder) -> None:
    folder.begin(JOB | {"model": "other"}, force=False)  # nothing is there yet
    folder.begin(JOB, force=False)
    one = part()
    made(folder, one)
    folder.begin(JOB, force=False)
    with pytest.raises(OutputError, match="has results of other model and options; name another"):
        folder.begin(JOB | {"model": "other", "options": "p"}, force=False)
    assert folder.note_of(one.name)
    folder.begin(JOB | {"model": "other"}, force=True)
    assert os.listdir(folder.path) == ["_job"]


def test_a_damaged_job_is_another_one(folder: JobFolder) -> None:
    made(folder, part())
    Path(folder.path, "_job", "job.json").write_bytes(b"[")
    with pytest.raises(OutputError, match="with `force`"):
        folder.begin(JOB, force=False)


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(OutputError, match=r"holds photo\.jpg, which is no result of such a run"):
        JobFolder(str(tmp_path)).begin(JOB, force=True)
    with pytest.raises(OutputError, match=r"photo\.jpg: cannot be read: Not a directory"):
        JobFolder(str(tmp_path / "photo.jpg")).begin(JOB, force=False)


def test_the_summary_goes_while_work_is_done(folder: JobFolder) -> None:
    folder.write_summary({"images": 1})
    path = Path(folder.path, "_summary.json")
    assert json.loads(path.read_text()) == {"images": 1}
    folder.remove_summary()
    folder.remove_summary()
    assert not path.exists()

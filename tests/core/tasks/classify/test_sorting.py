from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from imgcls.core.errors import OutputError
from imgcls.core.models.labels import ClassLabel
from imgcls.core.tasks.classify.classify import Record
from imgcls.core.tasks.classify.manifest import Placement, read_manifest
from imgcls.core.tasks.classify.placing import (
    SortMode,
    place_copy,
    place_link,
    place_move,
    place_symlink,
)
from imgcls.core.tasks.classify.sorting import Sorter
from imgcls.core.tasks.classify.undo import undo
from tests.core.tasks.classify.sorted_photos import HOSTILE_LABELS, LABELS, make, ok, sort, tree


def test_all_hostile_labels_stay_inside(tmp_path: Path) -> None:
    labels = [ClassLabel(label, label) for label in HOSTILE_LABELS]
    photos = make(tmp_path / "in", *(f"{number}.jpg" for number in range(len(labels))))
    before = set(tmp_path.rglob("*"))
    pairs = zip(photos, labels, strict=True)
    sort(tmp_path / "out", "copy", [ok(path, one.label) for path, one in pairs], labels)
    inside = set((tmp_path / "out").rglob("*"))
    assert set(tmp_path.rglob("*")) - before == inside | {tmp_path / "out"}
    folders = {path.parent for path in inside if path.is_file() and path.suffix == ".jpg"}
    assert len(folders) == len(labels) and all(f.parent == tmp_path / "out" for f in folders)


SORTED = {
    "=dog/dog.jpg": b"dog.jpg",
    "cat/x-2.jpg": b"b/x.jpg",
    "cat/x-3.jpg": b"c/x.jpg",
    "cat/x.jpg": b"a/x.jpg",
    "errors/bad.jpg": b"bad.jpg",
    "unknown/what.jpg": b"what.jpg",
}


@pytest.mark.parametrize("mode", ["copy", "link", "symlink", "move"])
def test_every_mode(mode: SortMode, records: list[Record], tmp_path: Path) -> None:
    before = tree(tmp_path / "in")
    sorter = sort(tmp_path / "out", mode, records)
    assert tree(tmp_path / "out") == SORTED
    assert (sorter.placed, sorter.failed) == (6, 0)
    first = tmp_path / "out" / "cat" / "x.jpg"
    original = tmp_path / "in" / "a" / "x.jpg"
    assert tree(tmp_path / "in") == ({} if mode == "move" else before)
    assert first.is_symlink() == (mode == "symlink")
    if mode == "link":
        assert first.samefile(original)
    if mode == "copy":
        assert not first.samefile(original)
        assert first.stat().st_mtime == original.stat().st_mtime
    assert not list(tmp_path.rglob(".*"))


def test_manifest(records: list[Record], tmp_path: Path) -> None:
    sorter = sort(tmp_path / "out", "copy", records)
    assert sorter.manifest == str(tmp_path / "out" / "manifest.csv")
    with open(sorter.manifest, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["from", "to", "label", "score", "mode"]
    assert rows[0] == {
        "from": str(tmp_path / "in" / "a" / "x.jpg"),
        "to": str(tmp_path / "out" / "cat" / "x.jpg"),
        "label": "cat",
        "score": "0.123457",
        "mode": "copy",
    }
    assert rows[3]["label"] == "'=dog"  # no formula
    assert (rows[5]["label"], rows[5]["score"]) == ("", "")


def test_a_second_run_overwrites_nothing(records: list[Record], tmp_path: Path) -> None:
    sort(tmp_path / "out", "copy", records)
    sorter = sort(tmp_path / "out", "copy", records)
    assert sorter.manifest == str(tmp_path / "out" / "manifest-2.csv")
    assert tree(tmp_path / "out") == SORTED | {
        "=dog/dog-2.jpg": b"dog.jpg",
        "cat/x-4.jpg": b"a/x.jpg",
        "cat/x-5.jpg": b"b/x.jpg",
        "cat/x-6.jpg": b"c/x.jpg",
        "errors/bad-2.jpg": b"bad.jpg",
        "unknown/what-2.jpg": b"what.jpg",
    }


def test_the_plan_is_what_is_done(records: list[Record], tmp_path: Path) -> None:
    make(tmp_path / "out", "cat/x.jpg")
    plan = list(Sorter(str(tmp_path / "out"), LABELS).plan(records))
    assert tree(tmp_path / "out") == {"cat/x.jpg": b"cat/x.jpg"}
    sorter = sort(tmp_path / "out", "copy", records)
    assert sorter.manifest
    with open(sorter.manifest, newline="", encoding="utf-8") as file:
        done = [(row["from"], row["to"]) for row in csv.DictReader(file)]
    assert [(one.source, one.target) for one in plan] == done


@pytest.mark.posix
def test_what_cannot_be_sorted_is_said_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (photo,) = make(tmp_path / "in", "x.jpg")
    (tmp_path / "in" / "link.jpg").symlink_to("x.jpg")
    gone = tmp_path / "in" / "gone.jpg"
    inputs = ["-", "http://host/x.jpg", gone, tmp_path / "in" / "link.jpg", photo]
    sorter = sort(tmp_path / "out", "move", map(ok, inputs))
    assert (sorter.placed, sorter.failed) == (1, 4)
    assert [message.rpartition(": ")[2] for message in caplog.messages] == [
        *["it is no file"] * 3,
        "a link that is moved loses its way; use another `sort_mode`",
    ]
    assert tree(tmp_path / "out") == {"cat/x.jpg": b"x.jpg"}


def test_what_is_in_its_place_stays(tmp_path: Path) -> None:
    photos = make(tmp_path / "out", "cat/x.jpg", "unknown/y.jpg")
    sorter = sort(tmp_path / "out", "move", [ok(photos[0]), ok(photos[1])])
    assert tree(tmp_path / "out") == {"cat/x.jpg": b"cat/x.jpg", "cat/y.jpg": b"unknown/y.jpg"}
    assert sorter.placed == 1


@pytest.mark.posix
def test_a_linked_label_folder_is_refused(tmp_path: Path) -> None:
    (photo,) = make(tmp_path / "in", "x.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "cat").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is a link out of the sorted folder"):
        sort(tmp_path / "out", "copy", [ok(photo)])
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (photo,) = make(tmp_path / "in", "x.jpg")
    make(tmp_path / "out", "cat")
    with pytest.raises(OutputError, match="cat: is no folder"):
        sort(tmp_path / "out", "copy", [ok(photo)])


@pytest.mark.parametrize("place", [place_copy, place_link, place_symlink, place_move])
def test_no_way_of_placing_overwrites(place, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    source, target = make(tmp_path, "a.jpg", "b.jpg")
    with pytest.raises(FileExistsError):
        place(str(source), str(target))
    assert tree(tmp_path) == {"a.jpg": b"a.jpg", "b.jpg": b"b.jpg"}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.linux
@pytest.mark.parametrize("mode", ["link", "move"])
def test_across_devices(mode: SortMode, tmp_path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if os.stat(other).st_dev == os.stat(tmp_path).st_dev:
            pytest.skip("/dev/shm is on the same file system")
        photos = make(Path(other), "x.jpg", "y.jpg")
        sorter = sort(tmp_path / "out", mode, map(ok, photos))
        assert tree(tmp_path / "out") == {"cat/x.jpg": b"x.jpg", "cat/y.jpg": b"y.jpg"}
        assert tree(Path(other)) == (
            {} if mode == "move" else {"x.jpg": b"x.jpg", "y.jpg": b"y.jpg"}
        )
        assert sorter.manifest
        modes = [one.mode for one in read_manifest(sorter.manifest)]
        assert modes == (["move", "move"] if mode == "move" else ["copy", "copy"])
        if mode == "move":
            assert all(one.error is None for one in undo(sorter.manifest))
            assert tree(Path(other)) == {"x.jpg": b"x.jpg", "y.jpg": b"y.jpg"}


def test_a_record_is_out_before_its_image_moves(records: list[Record], tmp_path: Path) -> None:
    running = Sorter(str(tmp_path / "out"), LABELS, "move").sort(records)
    for record in records:
        assert next(running) is record
        assert Path(record.path).exists()
    assert next(running, None) is None
    assert tree(tmp_path / "in") == {}


def test_what_is_noted_is_placed_later(records: list[Record], tmp_path: Path) -> None:
    sorter = Sorter(str(tmp_path / "out"), LABELS, "move")
    placements: list[Placement] = []
    assert list(sorter.note(records, placements)) == records
    assert not (tmp_path / "out").exists()
    sorter.place(placements)
    assert tree(tmp_path / "out") == SORTED
    assert sorter.manifest
    read = [(one.source, one.target) for one in read_manifest(sorter.manifest)]
    assert read == [(one.source, one.target) for one in placements]


@pytest.mark.parametrize("mode", ["copy", "link", "symlink", "move"])
def test_what_an_interrupted_run_announced_is_completed_once(
    mode: SortMode, records: list[Record], tmp_path: Path
) -> None:
    running = Sorter(str(tmp_path / "out"), LABELS, mode).sort(records)
    for _ in range(3):
        next(running)
    running.close()
    done = {"cat/x-2.jpg": b"b/x.jpg", "cat/x.jpg": b"a/x.jpg"}
    assert tree(tmp_path / "out") == done
    sorter = Sorter(str(tmp_path / "out"), LABELS, mode, resume=True)
    for record in [*records[:3], records[2]]:
        sorter.complete(record.path)
    assert tree(tmp_path / "out") == done | {"cat/x-3.jpg": b"c/x.jpg"}
    assert sorter.placed == 1
    Sorter(str(tmp_path / "out"), LABELS, mode, resume=True).complete(records[2].path)
    assert tree(tmp_path / "out") == done | {"cat/x-3.jpg": b"c/x.jpg"}


@pytest.mark.posix
def test_a_move_that_ended_between_its_two_names_is_completed(tmp_path: Path) -> None:
    (photo,) = make(tmp_path / "in", "x.jpg")
    running = Sorter(str(tmp_path / "out"), LABELS, "move").sort([ok(photo)])
    next(running)
    running.close()
    os.link(photo, tmp_path / "out" / "cat" / "x.jpg")
    Sorter(str(tmp_path / "out"), LABELS, "move", resume=True).complete(str(photo))
    assert not photo.exists()
    assert tree(tmp_path / "out") == {"cat/x.jpg": b"x.jpg"}


def test_one_image_that_cannot_be_placed_ends_nothing_but_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos = make(tmp_path / "in", "a.jpg", "b.jpg")
    sorter = Sorter(str(tmp_path / "out"), LABELS)
    for record in sorter.sort(map(ok, photos)):
        if record.path == str(photos[0]):  # gone between its record and its turn
            photos[0].unlink()
    assert caplog.messages == [f"{photos[0]}: not sorted: it is gone"]
    assert (sorter.placed, sorter.failed) == (1, 1)
    assert sorter.manifest
    assert [one.source for one in undo(sorter.manifest)] == [str(photos[1])]

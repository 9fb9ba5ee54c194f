from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.classify import Record
from imgcls.core.tasks.classify.placing import SortMode
from imgcls.core.tasks.classify.sorting import Sorter
from imgcls.core.tasks.classify.undo import undo
from tests.core.tasks.classify.sorted_photos import LABELS, make, ok, sort, tree


@pytest.mark.parametrize("mode", ["copy", "link", "symlink", "move"])
def test_every_mode(mode: SortMode, records: list[Record], tmp_path: Path) -> None:
    before = tree(tmp_path / "in")
    sorter = sort(tmp_path / "out", mode, records)
    assert sorter.manifest
    after = tree(tmp_path)
    planned = list(undo(sorter.manifest, dry_run=True))
    assert tree(tmp_path) == after
    done = list(undo(sorter.manifest))
    assert done == planned
    assert len(done) == 6 and all(one.error is None for one in done)
    assert {one.removed for one in done} == {mode != "move"}
    assert tree(tmp_path / "in") == before
    assert list((tmp_path / "out").iterdir()) == [Path(sorter.manifest)]
    assert list(undo(sorter.manifest)) == []  # once more does nothing


def test_nothing_is_overwritten(records: list[Record], tmp_path: Path) -> None:
    sorter = sort(tmp_path / "out", "move", records)
    new = tmp_path / "in" / "dog.jpg"
    new.write_bytes(b"a new photo")
    assert sorter.manifest
    errors = {one.source: one.error for one in undo(sorter.manifest) if one.error}
    assert errors == {str(new): f"{new} is there"}
    assert new.read_bytes() == b"a new photo"
    assert tree(tmp_path / "out") == {"=dog/dog.jpg": b"dog.jpg"}


def test_a_run_that_was_killed(records: list[Record], tmp_path: Path) -> None:
    before = tree(tmp_path / "in")
    sorter = Sorter(str(tmp_path / "out"), LABELS, "move")
    running = sorter.sort(records)
    for _ in range(4):
        next(running)  # three are placed, and the fourth is listed
    assert sorter.manifest
    with open(sorter.manifest, "ab") as file:  # killed in a line
        file.write(b'"/half\nname')
    assert [one.error for one in undo(sorter.manifest)] == [None] * 3
    assert tree(tmp_path / "in") == before


def test_undo_touches_only_what_lies_beside_its_manifest(tmp_path: Path) -> None:
    (mine,) = make(tmp_path / "elsewhere", "mine.jpg")
    manifest = tmp_path / "out" / "manifest.csv"
    manifest.parent.mkdir()
    for target in (mine, manifest.parent / ".." / "elsewhere" / "mine.jpg"):
        manifest.write_text(f"from,to,label,score\n{tmp_path}/x.jpg,{target},cat,1\n")
        with pytest.raises(UsageError, match="which is not in its folder"):
            list(undo(str(manifest)))
    assert mine.exists()


@pytest.mark.posix
def test_undo_never_removes_the_only_name(tmp_path: Path) -> None:
    (photo,) = make(tmp_path / "out", "cat/x.jpg")
    os.link(photo, tmp_path / "other.jpg")
    manifest = tmp_path / "out" / "manifest.csv"
    manifest.write_text(f"from,to,label,score\n{photo},{photo},cat,1\n")
    (done,) = undo(str(manifest))
    assert done.error == f"{photo} is there"
    assert photo.exists()


@pytest.mark.parametrize("content", ["", "path,status\n", "\0\n", "from,to,label,score"])
def test_what_is_no_manifest(content: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(content)
    with pytest.raises(UsageError, match="is no manifest"):
        list(undo(str(tmp_path / "m.csv")))


@pytest.mark.linux
def test_odd_names_come_back(tmp_path: Path) -> None:
    names = [
        "=x.jpg",
        "new\nline.jpg",
        "return\r.jpg",
        "both\r\n.jpg",
        'quo"te,.jpg',
        "é.jpg",
        "x" * 250 + ".jpg",
    ]
    if sys.platform == "linux":  # macOS takes UTF-8 only
        names.append(os.fsdecode(b"\xff\xfe.jpg"))
    photos = make(tmp_path / "in", *names)
    before = tree(tmp_path / "in")
    sorter = sort(tmp_path / "out", "move", map(ok, photos))
    assert len(tree(tmp_path / "out")) == len(names)
    assert sorter.manifest
    assert all(one.error is None for one in undo(sorter.manifest))
    assert tree(tmp_path / "in") == before


@pytest.mark.posix
def test_what_is_no_longer_where_it_came_from_stays(tmp_path: Path) -> None:
    photos = make(tmp_path / "in", "same.jpg", "edited.jpg", "gone.jpg", "linked.jpg")
    sorter = sort(tmp_path / "out", "copy", list(map(ok, photos)))
    cat = tmp_path / "out" / "cat"
    (cat / "edited.jpg").write_bytes(b"edited copy")
    photos[2].unlink()
    photos[3].unlink()
    photos[3].symlink_to(cat / "linked.jpg")  # the copy is the only one now
    assert sorter.manifest
    errors = {Path(one.path).name: one.error for one in undo(sorter.manifest)}
    assert errors == {
        "same.jpg": None,
        "edited.jpg": f"no longer the same as {photos[1]}",
        "gone.jpg": f"{photos[2]} is gone",
        "linked.jpg": f"no longer a copy of {photos[3]}",
    }
    assert tree(tmp_path / "out") == {
        "cat/edited.jpg": b"edited copy",
        "cat/gone.jpg": b"gone.jpg",
        "cat/linked.jpg": b"linked.jpg",
    }


def test_links_that_were_replaced_stay(tmp_path: Path) -> None:
    photos = make(tmp_path / "in", "a.jpg", "b.jpg")
    hard = sort(tmp_path / "hard", "link", [ok(photos[0])])
    soft = sort(tmp_path / "soft", "symlink", [ok(photos[1])])
    for folder, name in (("hard", "a.jpg"), ("soft", "b.jpg")):
        (tmp_path / folder / "cat" / name).unlink()
        (tmp_path / folder / "cat" / name).write_bytes(b"mine")
    assert hard.manifest and soft.manifest
    for manifest, photo in ((hard.manifest, photos[0]), (soft.manifest, photos[1])):
        assert [one.error for one in undo(manifest)] == [f"no longer a link to {photo}"]
    assert tree(tmp_path / "hard") == {"cat/a.jpg": b"mine"}
    assert tree(tmp_path / "soft") == {"cat/b.jpg": b"mine"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/in/a\r.jpg,{out}/a.jpg,cat,1,move\n", "line 3 has 1 field and not 5"),
        ("/in/a.jpg,{out}/a.jpg,cat,1\n", "line 3 has 4 fields and not 5"),
        ('/in/a.jpg,"{out}/a.jpg,cat,1,move\n', "line 3 is malformed"),
        ("/in/a.jpg,{out}/a.jpg,cat,1,burn\n", "'burn' is no mode of sorting"),
    ],
)
def test_a_malformed_line_is_an_error_and_nothing_is_undone(
    line: str, message: str, tmp_path: Path
) -> None:
    (photo,) = make(tmp_path / "in", "x.jpg")
    sorter = sort(tmp_path / "out", "move", [ok(photo)])
    assert sorter.manifest
    with open(sorter.manifest, "ab") as file:
        file.write(line.format(out=tmp_path / "out").encode())
    with pytest.raises(UsageError, match=message):
        list(undo(sorter.manifest))
    assert tree(tmp_path / "out") == {"cat/x.jpg": b"x.jpg"}


def test_a_manifest_without_modes_is_of_moves(tmp_path: Path) -> None:
    (photo,) = make(tmp_path / "out", "cat/x.jpg")
    manifest = tmp_path / "out" / "manifest.csv"
    manifest.write_text(f"from,to,label,score\n{tmp_path}/in/x.jpg,{photo},cat,1\n")
    assert [one.error for one in undo(str(manifest))] == [None]
    assert tree(tmp_path / "in") == {"x.jpg": b"cat/x.jpg"}

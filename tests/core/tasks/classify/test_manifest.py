from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.manifest import (
    Manifest,
    Placement,
    last_placement,
    read_manifest,
)


def placement(name: str) -> Placement:
    return Placement(f"/in/{name}", f"/out/cat/{name}", "", None, "copy")


def test_each_run_has_its_own(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert last_placement(folder) is None
    for names in (["a.jpg", "b.jpg"], ["c\r.jpg"]):
        with Manifest(folder) as manifest:
            for name in names:
                manifest.add(placement(name))
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["manifest-2.csv", "manifest.csv"]
    first = [placement("a.jpg"), placement("b.jpg")]
    assert read_manifest(str(tmp_path / "manifest.csv")) == first
    assert last_placement(folder) == placement("c\r.jpg")


def test_a_line_can_be_taken_out_again(tmp_path: Path) -> None:
    with Manifest(str(tmp_path)) as manifest:
        manifest.add(placement("a.jpg"))
        manifest.add(placement("b.jpg"))
        manifest.drop_last()
        manifest.add(placement("c.jpg"))
    assert read_manifest(manifest.path) == [placement("a.jpg"), placement("c.jpg")]


def test_a_line_that_was_cut_off_is_left_out_wherever_it_is_cut(tmp_path: Path) -> None:
    with Manifest(str(tmp_path)) as manifest:
        manifest.add(placement("a.jpg"))
        whole = Path(manifest.path).read_bytes()
        manifest.add(placement('new\nline, "quoted".jpg'))
    content = Path(manifest.path).read_bytes()
    for end in range(len(whole), len(content)):
        if content[:end].endswith(b"\n") and end > len(whole):
            continue  # cut within a name, at its own line end: a malformed line
        Path(manifest.path).write_bytes(content[:end])
        assert read_manifest(manifest.path) == [placement("a.jpg")]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the manifest cannot be read: no such file or directory"):
        read_manifest(str(tmp_path / "absent.csv"))


@pytest.mark.posix
def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a folder; name the manifest\.csv in it"):
        read_manifest(str(tmp_path))


@pytest.mark.parametrize("content", ["", "from,to,la"])
def test_one_that_was_only_begun_has_no_last_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(content)
    assert last_placement(str(tmp_path)) is None

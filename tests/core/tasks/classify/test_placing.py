"""How one file comes to a new name, and what is left where it does not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from imgcls.core.tasks.classify.placing import (
    is_same_content,
    place_copy,
    place_link,
    place_move,
    place_symlink,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.jpg"
    path.write_bytes(b"pixels")
    os.utime(path, (1e9, 1e9))
    return path


def no_links(number: int):  # type: ignore[no-untyped-def]
    def link(*_: str) -> None:
        raise OSError(number, os.strerror(number))

    return link


def test_a_copy_keeps_the_time_and_leaves_nothing_beside_it(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.jpg"
    place_copy(str(source), str(target))
    assert target.read_bytes() == b"pixels" and target.stat().st_mtime == 1e9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.jpg", "target.jpg"]


def test_a_copy_that_fails_leaves_nothing(source: Path, tmp_path: Path) -> None:
    (tmp_path / "target.jpg").write_bytes(b"another")
    with pytest.raises(FileExistsError):
        place_copy(str(source), str(tmp_path / "target.jpg"))
    with pytest.raises(FileNotFoundError):
        place_copy(str(tmp_path / "gone.jpg"), str(tmp_path / "new.jpg"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.jpg", "target.jpg"]
    assert (tmp_path / "target.jpg").read_bytes() == b"another"


@pytest.mark.posix
def test_links_lead_to_the_file_itself(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.symlink("source.jpg", "link.jpg")
    place_link("link.jpg", "hard.jpg")
    assert not os.path.islink("hard.jpg") and os.path.samefile("hard.jpg", source)
    place_symlink("source.jpg", "soft.jpg")
    assert os.readlink("soft.jpg") == os.path.abspath("source.jpg")


@pytest.mark.posix
def test_a_link_is_never_moved(source: Path, tmp_path: Path) -> None:
    link, target = tmp_path / "link.jpg", tmp_path / "target.jpg"
    link.symlink_to("source.jpg")
    with pytest.raises(OSError, match="it is a symbolic link, which would lose its way") as raised:
        place_move(str(link), str(target))
    assert raised.value.errno == errno.ELOOP
    assert link.is_symlink() and not target.exists()


@pytest.mark.posix
def test_a_disk_without_links_moves_too_but_never_onto_another(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links(errno.EPERM))
    taken, free = tmp_path / "taken.jpg", tmp_path / "free.jpg"
    taken.write_bytes(b"another")
    with pytest.raises(FileExistsError):
        place_move(str(source), str(taken))
    assert (source.read_bytes(), taken.read_bytes()) == (b"pixels", b"another")
    place_move(str(source), str(free))
    assert not source.exists() and free.read_bytes() == b"pixels"


@pytest.mark.posix
def test_a_move_that_is_refused_leaves_the_file_where_it_is(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links(errno.EACCES))
    with pytest.raises(PermissionError):
        place_move(str(source), str(tmp_path / "target.jpg"))
    assert [path.name for path in tmp_path.iterdir()] == ["source.jpg"]


def test_same_content_is_told_by_bytes_not_by_size_and_time(source: Path, tmp_path: Path) -> None:
    equal, other = tmp_path / "equal.jpg", tmp_path / "other.jpg"
    equal.write_bytes(b"pixels")
    other.write_bytes(b"pixelz")
    os.utime(other, (1e9, 1e9))
    assert is_same_content(str(source), str(source))
    assert is_same_content(str(source), str(equal))
    assert not is_same_content(str(source), str(other))

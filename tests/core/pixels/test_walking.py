"""A folder walk: what is taken, in which order, and what is said of all else."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imgcls.core.errors import ImageError
from imgcls.core.pixels import walking
from imgcls.core.pixels.sources import Source, expand, walk
from tests.core.pixels.input_files import PNG, make, names


def test_folders_are_walked_in_order(inside: Path) -> None:
    make(inside, "f/b.jpg", "f/a/z.png", "f/a/y/x.gif", "f/c.JPG", "f/B.jpg", "f/a.jpg")
    assert names(expand(["f"])) == [
        *("f/B.jpg", "f/a/y/x.gif", "f/a/z.png", "f/a.jpg", "f/b.jpg", "f/c.JPG"),
    ]


def test_hidden_files_and_folders_are_skipped(inside: Path) -> None:
    make(inside, "f/.a.jpg", "f/.git/b.jpg", "f/c.jpg", "f/._c.jpg")
    assert names(expand(["f"])) == ["f/c.jpg"]


@pytest.mark.posix
def test_links_to_folders_are_not_followed(inside: Path) -> None:
    make(inside, "f/a.jpg", "elsewhere/b.jpg")
    (inside / "f/loop").symlink_to(inside / "f")
    (inside / "f/other").symlink_to(inside / "elsewhere")
    (inside / "f/link.jpg").symlink_to(inside / "elsewhere/b.jpg")
    assert names(expand(["f"])) == ["f/a.jpg", "f/link.jpg"]
    assert names(expand(["f/other"])) == ["f/other/b.jpg"]  # named outright


@pytest.mark.posix
def test_other_files_are_ignored(inside: Path) -> None:
    make(inside, "f/a.jpg")
    (inside / "f/notes.txt").write_text("to do")
    (inside / "f/Thumbs.db").write_bytes(bytes(100))
    (inside / "f/empty").write_bytes(b"")
    os.mkfifo(inside / "f/pipe")  # reading it would wait for ever
    assert names(expand(["f"])) == ["f/a.jpg"]


def test_image_without_an_ending_is_taken(inside: Path) -> None:
    starts = {
        "avif": b"\x00\x00\x00\x20ftypavif" + bytes(20),
        "gif": b"GIF89a" + bytes(26),
        "heic": b"\x00\x00\x00\x18ftypheic" + bytes(20),
        "jp2": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(20),
        "jpeg": b"\xff\xd8\xff\xe0" + bytes(28),
        "tiff": b"II*\x00" + bytes(28),
        "webp": b"RIFF\x00\x00\x00\x00WEBP" + bytes(20),
    }
    (inside / "f").mkdir()
    for name, content in starts.items():
        (inside / "f" / name).write_bytes(content)
    make(inside, "f/png.dat")
    assert names(expand(["f"])) == [f"f/{name}" for name in sorted([*starts, "png.dat"])]


def test_folder_that_vanishes_says_so(inside: Path) -> None:
    make(inside, "f/a/1.jpg", "f/b/2.jpg", "f/c/3.jpg")
    found = walk("f")
    assert next(found).name == "f/a/1.jpg"
    (inside / "f/b/2.jpg").unlink()
    (inside / "f/b").rmdir()
    assert list(found) == [
        Source("f/b", "missing", "no such file or directory", root="f"),
        Source("f/c/3.jpg", root="f"),
    ]


def test_folder_that_cannot_be_listed_says_so(tmp_path: Path) -> None:
    # A file in its place cannot be listed by anyone, whatever the permissions.
    file = tmp_path / "file"
    file.write_bytes(b"")
    (missing,) = walk(str(file))
    assert (missing.kind, missing.reason) == ("missing", "not a directory")
    with pytest.raises(ImageError, match=r"^not a directory$"):
        missing.read()


@pytest.mark.parametrize("slice_", [1, 2, 3, 100])
def test_large_folders_are_sorted_a_slice_at_a_time(
    inside: Path, monkeypatch: pytest.MonkeyPatch, slice_: int
) -> None:
    monkeypatch.setattr(walking, "_SLICE", slice_)
    wanted = [f"f/{number:02}.jpg" for number in range(7)]
    make(inside, *reversed(wanted), "f/.hidden.jpg")
    assert names(expand(["f"])) == wanted
    assert names(expand(["f/*.jpg"])) == wanted


@pytest.mark.linux
def test_names_that_are_not_utf_8(inside: Path) -> None:
    raw = b"f/caf\xe9.jpg"
    (inside / "f").mkdir()
    Path(os.fsdecode(raw)).write_bytes(PNG)
    (source,) = expand(["f"])
    assert os.fsencode(source.name) == raw
    assert source.read() == PNG


@pytest.mark.posix
def test_a_link_to_itself_ends_nothing_but_itself(inside: Path) -> None:
    make(inside, "f/a.jpg", "f/c.jpg")
    (inside / "f/b.jpg").symlink_to("b.jpg")
    (inside / "f/b").symlink_to("b")
    first, loop, last = expand(["f"])
    assert (first, last) == (Source("f/a.jpg", root="f"), Source("f/c.jpg", root="f"))
    assert (loop.name, loop.kind, loop.root) == ("f/b.jpg", "missing", "f")
    assert "symbolic link" in loop.reason


@pytest.mark.posix
def test_a_link_that_leads_nowhere_is_an_error_if_it_is_called_an_image(inside: Path) -> None:
    make(inside, "f/a.jpg", "f/c.jpg")
    (inside / "f/b.jpg").symlink_to(inside / "absent.jpg")
    (inside / "f/notes").symlink_to(inside / "absent")
    assert list(expand(["f"])) == [
        Source("f/a.jpg", root="f"),
        Source("f/b.jpg", "missing", "a link that leads nowhere", root="f"),
        Source("f/c.jpg", root="f"),
    ]


@pytest.mark.posix
def test_what_is_no_file_but_called_an_image_is_an_error(inside: Path) -> None:
    make(inside, "f/a.jpg")
    os.mkfifo(inside / "f/b.jpg")
    (inside / "f/c.jpg").symlink_to("/dev/zero")
    reason = "a pipe, a device or a socket, not a file"
    assert [(s.name, s.reason) for s in expand(["f"])] == [
        *(("f/a.jpg", ""), ("f/b.jpg", reason), ("f/c.jpg", reason)),
    ]


@pytest.mark.posix
def test_what_is_passed_over_is_said_once(inside: Path, caplog: pytest.LogCaptureFixture) -> None:
    make(inside, "f/a.jpg", "g/b.jpg")
    for name in "1234":
        (inside / "f" / name).symlink_to(inside / "g")
    assert names(expand(["f"])) == ["f/a.jpg"]
    assert caplog.messages == [
        "f: 4 links to folders are passed over (f/1, f/2, f/3, …); "
        "name each as an input to take it in"
    ]
    caplog.clear()
    assert names(expand(["f/1"])) == ["f/1/b.jpg"]  # named outright
    assert caplog.messages == []


def test_heatmaps_of_earlier_runs_are_passed_over(
    inside: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(inside, "f/a.png")
    exif = Image.Exif()
    exif[0x0131] = "imgcls heatmap 0.1.0"
    Image.new("RGB", (8, 8)).save(inside / "f/named by me.png", exif=exif)
    Image.new("RGB", (8, 8)).save(inside / "f/a.heatmap.jpg", exif=exif)
    text = PngInfo()
    text.add_text("Software", "imgcls heatmap 0.1.0")
    Image.new("RGB", (8, 8)).save(inside / "f/text.png", pnginfo=text)
    assert names(expand(["f"])) == ["f/a.png"]
    assert caplog.messages == [
        "f: 3 drawings of earlier runs are passed over (f/a.heatmap.jpg, f/named by me.png, "
        "f/text.png); name each as an input to take it in"
    ]
    assert names(expand(["f/text.png"])) == ["f/text.png"]


def test_folders_of_any_depth(inside: Path) -> None:
    deep = "f/" + "d/" * 300 + "z.jpg"
    make(inside, "f/a.jpg", deep)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert names(expand(["f"])) == ["f/a.jpg", deep]
        assert names(expand(["f/**/z.jpg"])) == [deep]
    finally:
        sys.setrecursionlimit(limit)
